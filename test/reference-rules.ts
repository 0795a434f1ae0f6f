// A slow way to find the rule of a packet: every address and every port that a rule names is written out.

import { addressFromWords, addressToWords } from '../src/model/address.ts';
import type { Range, RuleConfig, SetConfig } from '../src/model/config.ts';
import type { ExplainedPacket } from '../src/model/explanation.ts';
import { resolved } from './random-rules.ts';

/** All addresses of a prefix that differs in its last 16 bits only. */
function expand(prefix: string): string[] {
  const [net = '', length = net.includes(':') ? '128' : '32'] = prefix.split('/');
  const [a = 0, b = 0, c = 0, last = 0] = addressToWords(net);
  const free = (net.includes(':') ? 128 : 32) - Number(length);
  return Array.from({ length: 2 ** free }, (_, i) => addressFromWords([a, b, c, last + i]));
}

const expandSet = ({ prefixes, domains }: SetConfig): string[] => [
  ...prefixes.flatMap(expand),
  ...(domains.length > 0 ? [...resolved[4], ...resolved[6]] : []),
];

function addressesOf(items: readonly string[], sets: readonly SetConfig[]): Set<string> {
  return new Set(
    items.flatMap((item) =>
      item.startsWith('@')
        ? sets.filter(({ name }) => `@${name}` === item).flatMap(expandSet)
        : expand(item),
    ),
  );
}

const portsOf = (ranges: readonly Range[]): Set<number> =>
  new Set(
    ranges.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    ),
  );

/** Whether it matches as far as `nft` does not count. */
export function referenceMatches(
  rule: RuleConfig,
  packet: ExplainedPacket,
  sets: readonly SetConfig[],
): boolean {
  const asked: [unknown[], boolean][] = [
    [rule.protocols, rule.protocols.includes(packet.protocol)],
    [rule.dscp, rule.dscp.includes(packet.dscp)],
    [rule.links, rule.links.includes(packet.link)],
    [rule.sport, portsOf(rule.sport).has(packet.clientPort)],
    [rule.dport, portsOf(rule.dport).has(packet.serverPort)],
    [[...rule.sport, ...rule.dport], [6, 17, 132].includes(packet.protocol)],
    [rule.from, addressesOf(rule.from, sets).has(packet.client)],
    [rule.to, addressesOf(rule.to, sets).has(packet.server)],
  ];
  return asked.every(([list, holds]) => list.length === 0 || holds);
}
