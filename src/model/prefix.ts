// Does a prefix hold an address? Both as text, of either family.

import { addressToWords, familyOf } from './address.ts';

/** By hand: sets are large, and ipaddr.js takes twenty times as long. */
const ipv4 = (address: string): number =>
  address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);

const ipv6 = (address: string): bigint =>
  addressToWords(address).reduce((bits, word) => (bits << 32n) | BigInt(word), 0n);

/** prefix: an address with or without a length. */
export function contains(prefix: string, address: string): boolean {
  const [net = '', length] = prefix.split('/');
  if (familyOf(net) !== familyOf(address)) return false;
  if (familyOf(net) === 6) {
    const rest = BigInt(128 - Number(length ?? 128));
    return ipv6(net) >> rest === ipv6(address) >> rest;
  }
  const size = 2 ** (32 - Number(length ?? 32));
  return Math.floor(ipv4(net) / size) === Math.floor(ipv4(address) / size);
}

/** An IPv6 address with the first bits of this prefix, as words: what npt makes of it. */
export function withPrefix(prefix: string, address: string): number[] {
  const [net = '', length = '128'] = prefix.split('/');
  const rest = BigInt(128 - Number(length));
  const bits = ((ipv6(net) >> rest) << rest) | (ipv6(address) & ((1n << rest) - 1n));
  return [96n, 64n, 32n, 0n].map((shift) => Number((bits >> shift) & 0xffffffffn));
}
