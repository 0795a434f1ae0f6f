// Which rule of the configuration decides a packet: what the kernel's nftables chain does, done here. A
// raw `nft:` expression is the only thing that can't be judged.

import type { Range, RuleConfig, SetConfig } from '../model/config.ts';
import type { ExplainedPacket } from '../model/explanation.ts';
import { contains } from '../model/prefix.ts';
import type { Family } from '../model/table.ts';
import { withPorts } from '../plan/nft-rules.ts';

export interface RuleQuestion {
  packet: ExplainedPacket;
  rules: readonly RuleConfig[];
  sets: readonly SetConfig[];
  /** What DNS put into a set. */
  readDomains: (set: string, family: Family) => string[];
}

/** No member: nothing of it is restricted. */
const allows = <T>(list: readonly T[], suits: (item: T) => boolean): boolean =>
  list.length === 0 || list.some(suits);

function holdsAddress(
  item: string,
  address: string,
  { packet, sets, readDomains }: RuleQuestion,
): boolean {
  if (!item.startsWith('@')) return contains(item, address);
  const set = sets.find(({ name }) => name === item.slice(1));
  if (!set) return false;
  return (
    set.prefixes.some((prefix) => contains(prefix, address)) ||
    (set.domains.length > 0 &&
      readDomains(set.name, packet.family).some((found) => contains(found, address)))
  );
}

function allowsPorts({ sport, dport, protocols }: RuleConfig, packet: ExplainedPacket): boolean {
  if (sport.length === 0 && dport.length === 0) return true;
  if (protocols.length === 0 && !withPorts.includes(packet.protocol)) return false;
  const holds = (port: number) => (range: Range) => port >= range[0] && port <= range[1];
  return allows(sport, holds(packet.clientPort)) && allows(dport, holds(packet.serverPort));
}

/** nftables takes a `*` at the end for any ending. */
const isLink = (pattern: string, link: string): boolean =>
  pattern.endsWith('*') ? link.startsWith(pattern.slice(0, -1)) : pattern === link;

/** Everything but `nft`. */
function matches(rule: RuleConfig, question: RuleQuestion): boolean {
  const { packet } = question;
  return (
    allows(rule.protocols, (protocol) => protocol === packet.protocol) &&
    allowsPorts(rule, packet) &&
    allows(rule.dscp, (dscp) => dscp === packet.dscp) &&
    allows(rule.links, (link) => isLink(link, packet.link)) &&
    allows(rule.from, (item) => holdsAddress(item, packet.client, question)) &&
    allows(rule.to, (item) => holdsAddress(item, packet.server, question))
  );
}

/**
 * The rules that may decide, in order: those with `nft` decide if that matches too, the last one does
 * in any case; undefined in its place: no rule does.
 */
export function findRules(question: RuleQuestion): (RuleConfig | undefined)[] {
  const found: (RuleConfig | undefined)[] = [];
  for (const rule of question.rules) {
    if (!matches(rule, question)) continue;
    found.push(rule);
    if (rule.nft === '') return found;
  }
  return [...found, undefined];
}
