// Words that a configuration may use for numbers: ports, protocols, DSCP, durations.

import type { Range } from '../model/config.ts';
import { protocolNames } from '../model/protocol.ts';

const numbered = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split(/\s+/).map((entry) => {
      const [name = '', number] = entry.split('=');
      return [name, Number(number)] as const;
    }),
  );

/** The names of /etc/services that rules are written with. */
export const portNames = numbered(
  'ftp=21 ssh=22 telnet=23 smtp=25 domain=53 dns=53 tftp=69 http=80 kerberos=88 pop3=110 ntp=123 imap=143 ' +
    'snmp=161 bgp=179 ldap=389 https=443 microsoft-ds=445 submissions=465 isakmp=500 syslog=514 submission=587 ' +
    'ldaps=636 domain-s=853 imaps=993 pop3s=995 openvpn=1194 mysql=3306 ms-wbt-server=3389 rdp=3389 ' +
    'stun=3478 ipsec-nat-t=4500 sip=5060 sips=5061 postgresql=5432 http-alt=8080 wireguard=51820',
);

export { protocolNames };

const protocolsOf = (names: string): number[] =>
  names.split(' ').map((name) => protocolNames.get(name) ?? 0);

/** Those whose packets begin with two ports. */
export const protocolsWithPorts = protocolsOf('tcp udp sctp dccp udplite');

/** Those that a rule with ports and no protocol means. */
export const usualProtocols = protocolsOf('tcp udp sctp');

export const dscpNames = numbered(
  'default=0 be=0 le=1 cs0=0 cs1=8 af11=10 af12=12 af13=14 cs2=16 af21=18 af22=20 af23=22 cs3=24 af31=26 ' +
    'af32=28 af33=30 cs4=32 af41=34 af42=36 af43=38 cs5=40 va=44 ef=46 cs6=48 cs7=56',
);

/** A number from `smallest` to `largest`, decimal or 0x. */
export function parseWhole(text: string, smallest: number, largest: number): number | undefined {
  if (!/^(\d{1,15}|0x[0-9a-f]{1,12})$/i.test(text)) return undefined;
  const number = Number(text);
  return number >= smallest && number <= largest ? number : undefined;
}

/** A number, or its name. */
export const parseNamed = (
  text: string,
  names: ReadonlyMap<string, number>,
  largest: number,
): number | undefined => names.get(text.toLowerCase()) ?? parseWhole(text, 0, largest);

const largestPort = 65535;

/** `443`, `https`, `8000-8099`. Names have dashes, too. */
export function parsePorts(text: string): Range | undefined {
  const one = parseNamed(text, portNames, largestPort);
  if (one !== undefined) return [one, one];
  const ends = text.split('-').map((end) => parseWhole(end, 0, largestPort));
  const [first, last] = ends;
  if (first === undefined || last === undefined || ends.length > 2) return undefined;
  return first <= last ? [first, last] : undefined;
}

/** Sorted; those that touch or overlap become one. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** `300s`, `5m`, `1h`, `2d`, `500ms`, or seconds -> milliseconds. */
export function parseDurationMs(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * (units[unit] ?? 1));
}
