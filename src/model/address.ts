// Addresses as text and as the datapath holds them: four 32-bit words, IPv4 as ::ffff:a.b.c.d.

import ipaddr from 'ipaddr.js';
import type { Family } from './table.ts';

/** Of an address or a prefix. */
export const familyOf = (text: string): Family => (text.includes(':') ? 6 : 4);

/** The words of an address; a `%link` is ignored. */
export function addressToWords(text: string): number[] {
  const address = ipaddr.parse(text.replace(/%.*$/, ''));
  const ipv6 = address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address;
  const bytes = Buffer.from((ipv6 as ipaddr.IPv6).toByteArray());
  return [0, 4, 8, 12].map((offset) => bytes.readUInt32BE(offset));
}

/** What stands before an IPv4 address: ::ffff:0:0/96. */
const mapped = 0xffff;

/** Canonical text of an address. */
export function addressFromWords(words: number[]): string {
  const [first, second, third, last = 0] = words;
  // Most of them, of tables with millions.
  if (first === 0 && second === 0 && third === mapped)
    return `${last >>> 24}.${(last >>> 16) & 0xff}.${(last >>> 8) & 0xff}.${last & 0xff}`;
  const bytes = Buffer.alloc(16);
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, i * 4);
  return new ipaddr.IPv6([...bytes]).toRFC5952String();
}
