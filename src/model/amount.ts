// Numbers for people: three digits and a decimal unit, for bits, bytes, packets and connections alike.

const units: readonly [size: number, letter: string][] = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];

/** `250M`, `1.5G`, `12.3k`, `999`, `0`. */
export function formatAmount(amount: number): string {
  const rounded = Number(amount.toPrecision(3));
  const [size, letter] = units.find(([smallest]) => rounded >= smallest) ?? [];
  return size === undefined ? '0' : `${Number((rounded / size).toPrecision(3))}${letter}`;
}
