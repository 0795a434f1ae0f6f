// Addresses and prefixes of both families: text -> canonical text, and the stretch that they cover.

import ipaddr from 'ipaddr.js';
import type { Family } from '../model/table.ts';

export interface Address {
  family: Family;
  /** Canonical; a link-local one may have its link: `fe80::1%eth1`. */
  address: string;
}

export interface Prefix {
  family: Family;
  /** Canonical, with its length. */
  text: string;
  length: number;
  first: bigint;
  last: bigint;
}

export const families: readonly Family[] = [4, 6];

export const width: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

interface Parsed {
  family: Family;
  value: bigint;
  /** Canonical. */
  text: string;
}

/** ipaddr.js takes ten times as long, and sets are large. */
function parseIpv4(text: string): Parsed | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    const byte = /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256;
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return { family: 4, value: BigInt(value), text };
}

function parseIpv6(text: string): Parsed | undefined {
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  // An IPv4-mapped address is IPv4 in disguise: nothing on the wire has it.
  if (address.isIPv4MappedAddress()) return undefined;
  const hex = Buffer.from(address.toByteArray()).toString('hex');
  return { family: 6, value: BigInt(`0x${hex}`), text: address.toRFC5952String() };
}

const parse = (text: string): Parsed | undefined =>
  text.includes(':') ? parseIpv6(text) : parseIpv4(text);

/** One host's address: no group, no "any", not this machine. */
export function parseAddress(text: string): Address | undefined {
  const [, bare = '', link] = /^([^%]*)(%[^\s/%]{1,15})?$/.exec(text) ?? [];
  const found = parse(bare);
  if (!found) return undefined;
  const range = ipaddr.parse(bare).range();
  if (['unspecified', 'multicast', 'broadcast', 'loopback'].includes(range)) return undefined;
  if (link !== undefined && range !== 'linkLocal') return undefined;
  if (link !== undefined && found.family === 4) return undefined;
  return { family: found.family, address: `${found.text}${link ?? ''}` };
}

const textOf = (family: Family, first: bigint): string => {
  const hex = first.toString(16).padStart(width[family] / 4, '0');
  const bytes = [...Buffer.from(hex, 'hex')];
  return family === 4 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
};

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. `host` is set where bits stand behind the length. */
export function parsePrefix(text: string): (Prefix & { host: boolean }) | undefined {
  const [, bare = '', digits] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const found = parse(bare);
  if (!found) return undefined;
  const { family } = found;
  const length = digits === undefined ? width[family] : Number(digits);
  if (length > width[family]) return undefined;
  const size = 1n << BigInt(width[family] - length);
  const first = found.value - (found.value % size);
  const host = first !== found.value;
  const canonical = `${host ? textOf(family, first) : found.text}/${length}`;
  return { family, text: canonical, length, first, last: first + size - 1n, host };
}

const byPlace = (a: Prefix, b: Prefix): number =>
  a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : a.length - b.length);

/** Sorted, and without those that lie in another: an nftables set takes no two that overlap. */
export function disjoint(prefixes: readonly Prefix[]): Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of [...prefixes].sort(byPlace)) {
    const before = kept.at(-1);
    if (before?.family !== prefix.family || before.last < prefix.first) kept.push(prefix);
  }
  return kept;
}
