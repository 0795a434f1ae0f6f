// Does a prefix hold an address? Both as text, of either family.

import { addressToWords } from '../model/address.ts';

const bitsOf = (address: string): bigint =>
  addressToWords(address).reduce((bits, word) => (bits << 32n) | BigInt(word), 0n);

/** IPv4 addresses are held as ::ffff:a.b.c.d, 96 bits before their own. */
const lengthOf = (address: string, length: string | undefined): number => {
  const own = address.includes(':') ? 0 : 96;
  return length === undefined ? 128 : own + Number(length);
};

/** prefix: an address with or without a length. */
export function contains(prefix: string, address: string): boolean {
  const [net = '', length] = prefix.split('/');
  if (net.includes(':') !== address.includes(':')) return false;
  const rest = BigInt(128 - lengthOf(net, length));
  return bitsOf(net) >> rest === bitsOf(address) >> rest;
}

/** The address with the first bits of this prefix: what npt makes of it. */
export function withPrefix(prefix: string, address: string): number[] {
  const [net = '', length] = prefix.split('/');
  const rest = BigInt(128 - lengthOf(net, length));
  const bits = ((bitsOf(net) >> rest) << rest) | (bitsOf(address) & ((1n << rest) - 1n));
  return [96n, 64n, 32n, 0n].map((shift) => Number((bits >> shift) & 0xffffffffn));
}
