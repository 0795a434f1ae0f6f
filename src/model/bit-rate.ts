// Bits a second as people write them: decimal, with k, M, G or T. amount.ts shows them.

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `250M`, `1.5G`, `64k`, `1000000` -> bits a second; undefined if it is no such number. */
export function parseBitRate(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMGT]?)$/.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * (units[unit] ?? 1));
}

/** 30 without a unit is a slip of 30M; no uplink is faster than the largest. 0 is not told. */
export const isCapacity = (bits: number): boolean => bits === 0 || (bits >= 1e3 && bits <= 1e12);
