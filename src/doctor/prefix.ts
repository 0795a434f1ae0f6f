// Prefixes and addresses, compared.

import ipaddr from 'ipaddr.js';
import { familyOf } from '../model/address.ts';
import { contains as holds } from '../model/prefix.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A `%link` is ignored. */
const parseAddress = (text: string): Address => ipaddr.parse(text.replace(/%.*$/, ''));

function parsePrefix(text: string): [Address, number] {
  const [address = '', length] = text.split('/');
  const parsed = parseAddress(address);
  return [parsed, length === undefined ? parsed.toByteArray().length * 8 : Number(length)];
}

export const lengthOf = (prefix: string): number => parsePrefix(prefix)[1];

/** As model's, of an address that may have a `%link`. */
export const contains = (prefix: string, address: string): boolean =>
  holds(prefix, address.replace(/%.*$/, ''));

/** Whether two prefixes have addresses in common: the longer one begins in the shorter one. */
export function overlap(a: string, b: string): boolean {
  const [shorter, longer] = lengthOf(a) <= lengthOf(b) ? [a, b] : [b, a];
  return contains(shorter, longer.split('/')[0] ?? '');
}

/** Addresses that the internet does not route: what leaves with them needs SNAT. */
export function isPrivate(address: string): boolean {
  const range = parseAddress(address).range();
  return range === 'private' || range === 'uniqueLocal';
}

/** The network of an address and a length, as routes write it. */
export function networkOf(address: string, length: number): string {
  const text = `${address.replace(/%.*$/, '')}/${length}`;
  const network =
    familyOf(address) === 4
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${length}`;
}
