// Column widths of ipvsadm's listings: numbers, and addresses with their port.

/** Looks up the host name of an address; none = print the number. */
export type Names = (address: string) => string | undefined;

/**
 * From this size on a counter is printed in the unit: `[smallest, unit, letter]`, largest first.
 */
const units: readonly (readonly [bigint, bigint, string])[] = [
  [10n ** 14n, 10n ** 12n, 'T'],
  [10n ** 11n, 10n ** 9n, 'G'],
  [10n ** 9n, 10n ** 6n, 'M'],
  [10n ** 8n, 10n ** 3n, 'K'],
];

/**
 * One counter with the blank before it: 9 columns as long as it fits, cut (not rounded) to K, M, G
 * or T.
 */
export function formatCounter(value: bigint, exact: boolean): string {
  const unit = exact ? undefined : units.find(([smallest]) => value >= smallest);
  const text = unit ? `${value / unit[1]}${unit[2]}` : `${value}`;
  // A number of nine digits or more keeps a blank in front: columns shift, but never run together.
  return unit ? text.padStart(9) : ` ${text.padStart(8)}`;
}

/** Left-justified, and one blank more: what every column of a listing but the last looks like. */
export const column = (value: string | number, width: number): string =>
  `${String(value).padEnd(width)} `;

/** `192.0.2.1:0`, `[2001:db8::1]:0`. */
export function formatEndpoint(address: string, port: number, names?: Names): string {
  const host = names?.(address) ?? address;
  return address.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** mm:ss; minutes may take more than two digits. */
export function formatExpiry(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}
