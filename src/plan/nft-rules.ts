// A rule of the configuration -> the nftables expressions that match what it matches.

import { createHash } from 'node:crypto';
import { familyOf } from '../model/address.ts';
import type { Range, RuleConfig, SetConfig } from '../model/config.ts';
import type { RuleObject } from '../model/objects.ts';
import type { Family } from '../model/table.ts';

const familyWord = { 4: 'ip', 6: 'ip6' } as const;
const protocolFamily = { 4: 'ipv4', 6: 'ipv6' } as const;

/** What a rule with ports and no protocol asks for: TCP, UDP, SCTP. */
export const withPorts = [6, 17, 132];

/** nftables' name of a set of ours; what DNS feeds has one of its own, for its elements expire. */
export const setName = (name: string, family: Family): string => `set_${name}_${family}`;
export const domainSetName = (name: string, family: Family): string => `dns_${name}_${family}`;

/** nftables takes no other signs in a name, and no long ones. */
export const counterName = (rule: string): string =>
  `rule_${createHash('sha256').update(rule).digest('hex').slice(0, 16)}`;

const braces = (items: readonly (string | number)[]): string =>
  items.length === 1 ? String(items[0]) : `{ ${items.join(', ')} }`;

const formatRanges = (ranges: Range[]): string =>
  braces(ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)));

/** What one side's list matches in one family: each alternative an expression, '' = everything. */
function planSide(
  side: 'saddr' | 'daddr',
  list: string[],
  family: Family,
  sets: Map<string, SetConfig>,
): string[] {
  if (list.length === 0) return [''];
  const field = `${familyWord[family]} ${side}`;
  const prefixes = list.filter((item) => !item.startsWith('@') && familyOf(item) === family);
  const named = list.flatMap((item) => sets.get(item.slice(1)) ?? []);
  return [
    ...(prefixes.length > 0 ? [`${field} ${braces(prefixes)}`] : []),
    ...named
      .filter((set) => set.prefixes.some((prefix) => familyOf(prefix) === family))
      .map(({ name }) => `${field} @${setName(name, family)}`),
    ...named
      .filter((set) => set.domains.length > 0)
      .map(({ name }) => `${field} @${domainSetName(name, family)}`),
  ];
}

function planPorts({ protocols, sport, dport }: RuleConfig): string[] {
  const ports = [
    ...(sport.length > 0 ? [`th sport ${formatRanges(sport)}`] : []),
    ...(dport.length > 0 ? [`th dport ${formatRanges(dport)}`] : []),
  ];
  const all = protocols.length === 0 && ports.length > 0 ? withPorts : protocols;
  return all.length === 0 ? ports : [`meta l4proto ${braces(all)}`, ...ports];
}

/** Where no address tells the family and nothing else asks for it, one line serves both. */
function familiesOf(rule: RuleConfig): (Family | undefined)[] {
  const free = rule.from.length === 0 && rule.to.length === 0 && rule.dscp.length === 0;
  return free ? [undefined] : [4, 6];
}

function planLines(rule: RuleConfig, family: Family | undefined, sets: Map<string, SetConfig>) {
  const links = rule.links.length > 0 ? [`iifname ${braces(rule.links.map(quote))}`] : [];
  const common = [...links, ...planPorts(rule), ...(rule.nft === '' ? [] : [rule.nft])];
  if (family === undefined) return [common.join(' ')];
  const dscp = rule.dscp.length > 0 ? [`${familyWord[family]} dscp ${braces(rule.dscp)}`] : [];
  return planSide('saddr', rule.from, family, sets).flatMap((from) =>
    planSide('daddr', rule.to, family, sets).map((to) =>
      // Without an address of its own the family is that of the other words, or none is said.
      [`meta nfproto ${protocolFamily[family]}`, from, to, ...dscp, ...common]
        .filter((words) => words !== '')
        .join(' '),
    ),
  );
}

const quote = (link: string): string => `"${link}"`;

/** fwmark: that of the rule's service; 0: on by the main table. */
export function planRule(
  rule: RuleConfig,
  fwmark: number,
  sets: Map<string, SetConfig>,
): RuleObject {
  const lines = familiesOf(rule).flatMap((family) => planLines(rule, family, sets));
  return { name: rule.name, lines, fwmark };
}
