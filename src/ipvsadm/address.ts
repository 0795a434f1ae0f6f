// Addresses as the command line writes them: text to number and back, and `-r ADDRESS[:PORT]`.

import ipaddr from 'ipaddr.js';
import type { Family } from '../model/table.ts';

export interface ServerAddress {
  family: Family;
  /** Canonical text; a link-local address keeps its link: `fe80::1%eth1`. */
  address: string;
  port: number;
}

/**
 * A decimal integer as C's strtol reads it: leading blanks and a sign are fine, anything behind it
 * is not.
 */
export function parseInteger(text: string, min: number, max: number): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text) + 0;
  return value >= min && value <= max ? value : undefined;
}

/**
 * As C's inet_aton: 1 to 4 numbers, decimal, octal or hex, the last one filling what is left of the
 * 32 bits, so `10.2` is 10.0.0.2, and anything behind a blank is ignored. ipaddr.js reads such
 * addresses otherwise.
 */
export function parseIpv4(text: string): number | undefined {
  const parts = text.replace(/[ \t\n\v\f\r].*$/s, '').split('.');
  const last = parts.pop();
  if (last === undefined || parts.length > 3) return undefined;
  let value = 0;
  for (const part of parts) {
    const byte = parsePart(part, 0xff);
    if (byte === undefined) return undefined;
    value = value * 256 + byte;
  }
  const space = 256 ** (4 - parts.length);
  const tail = parsePart(last, space - 1);
  return tail === undefined ? undefined : value * space + tail;
}

function parsePart(text: string, max: number): number | undefined {
  const octal = /^0[0-7]+$/.test(text);
  if (!octal && !/^(0x[0-9a-f]+|0|[1-9][0-9]*)$/i.test(text)) return undefined;
  const value = octal ? Number.parseInt(text, 8) : Number(text);
  return value <= max ? value : undefined;
}

export const formatIpv4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');

/** Without a link: ipaddr.js knows fewer link names than the kernel. */
export const parseIpv6 = (text: string): ipaddr.IPv6 | undefined =>
  !text.includes('%') && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;

/**
 * `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth1`. A bracket needs
 * its port. Names of hosts and ports are not looked up: a gateway must not depend on a name server
 * behind it.
 */
export function parseServer(text: string): ServerAddress | undefined {
  const bracketed = /^\[([^\]]*)\]:(.*)$/s.exec(text);
  if (bracketed) return withPort(parseNextHop6(bracketed[1] ?? ''), bracketed[2] ?? '');
  const ipv6 = parseNextHop6(text);
  if (ipv6) return { ...ipv6, port: 0 };
  const [host = '', port = '0', ...more] = text.split(':');
  // A bare number is no address to ipvsadm, though inet_aton takes it.
  const ipv4 = /^[0-9]*$/.test(host) || more.length > 0 ? undefined : parseIpv4(host);
  if (ipv4 === undefined) return undefined;
  return withPort({ family: 4, address: formatIpv4(ipv4) }, port);
}

type NextHop = Omit<ServerAddress, 'port'>;

function withPort(next: NextHop | undefined, text: string): ServerAddress | undefined {
  const port = parseInteger(text, 0, 65535);
  return next && port !== undefined ? { ...next, port } : undefined;
}

/** `%LINK` goes with link-local addresses only: elsewhere it would make two gateways out of one. */
function parseNextHop6(text: string): NextHop | undefined {
  const [bare = '', link, ...more] = text.split('%');
  const ipv6 = parseIpv6(bare);
  if (!ipv6 || more.length > 0) return undefined;
  const address = ipv6.toRFC5952String();
  if (link === undefined) return { family: 6, address };
  const named = ipv6.range() === 'linkLocal' && /^[^\s/]{1,15}$/.test(link);
  return named ? { family: 6, address: `${address}%${link}` } : undefined;
}
