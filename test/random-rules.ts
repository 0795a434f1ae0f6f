// Rules and packets by chance, which often meet: for tests that compare ways of judging them.

import type { Range, RuleConfig, SetConfig } from '../src/model/config.ts';
import type { ExplainedPacket } from '../src/model/explanation.ts';
import type { Family } from '../src/model/table.ts';
import type { Random } from './bpf/random.ts';

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

/** Some of them, in their order; none in half of the cases. */
function some<T>(random: Random, list: readonly T[]): T[] {
  if (random(2) === 0) return [];
  const chosen = list.filter(() => random(3) === 0);
  return chosen.length > 0 ? chosen : [pick(random, list)];
}

/** No two overlap: an nftables set takes none that do. */
const clients = ['10.0.0.0/29', '10.0.0.8/30', '10.1.0.4', '10.1.0.8/29', 'fd00::/125', 'fd00::a'];
const servers = ['203.0.113.0/28', '203.0.113.16/29', '203.0.113.30/32', '2001:db8:ff::/124'];

export const randomSets: SetConfig[] = [
  { name: 'hosts', prefixes: ['10.0.0.4/30', '10.1.0.0/29', 'fd00::4/126'], domains: [] },
  { name: 'cdn', prefixes: ['203.0.113.8/29', '2001:db8:ff::8/125'], domains: [] },
  { name: 'only4', prefixes: ['203.0.113.0/30'], domains: [] },
  { name: 'named', prefixes: ['203.0.113.28/31'], domains: ['a.example', 'b.example'] },
];

/** What DNS said of the set `named`. */
export const resolved: Readonly<Record<Family, string[]>> = {
  4: ['203.0.113.3', '203.0.113.19'],
  6: ['2001:db8:ff::3'],
};

const ports: Range[] = [
  [53, 53],
  [80, 80],
  [443, 444],
  [1000, 1999],
  [2500, 4000],
];
const protocolSets = [[], [], [6], [17], [6, 17], [132, 6], [1], [58], [1, 58], [17, 47]];
const withPorts = [6, 17, 132];

/** Matches of nftables that a test can judge: by the IP packet's length. */
export const rawMatches: Readonly<Record<string, (length: number) => boolean>> = {
  'meta length < 60': (length) => length < 60,
  'meta length >= 70': (length) => length >= 70,
};

/** number: tells it from others. */
export function randomRule(
  random: Random,
  number: number,
  services: readonly string[],
): RuleConfig {
  const protocols = pick(random, protocolSets);
  const hasPorts = protocols.every((protocol) => withPorts.includes(protocol));
  return {
    ...{ name: `rule ${number}`, at: `lvsj.yaml:${number}` },
    from: some(random, [...clients, '@hosts']),
    to: some(random, [...servers, '@cdn', '@only4', '@named']),
    protocols,
    sport: hasPorts && random(4) === 0 ? some(random, ports) : [],
    dport: hasPorts ? some(random, ports) : [],
    dscp: random(4) === 0 ? some(random, [0, 10, 46]) : [],
    links: random(4) === 0 ? some(random, ['lan0', 'lan1']) : [],
    nft: random(8) === 0 ? pick(random, Object.keys(rawMatches)) : '',
    service: pick(random, services),
  };
}

/** number: makes it the first packet of a connection of its own. */
export function randomPacket(random: Random, number: number): ExplainedPacket {
  const family = pick(random, [4, 4, 6] as const);
  const protocol = pick(random, [6, 6, 17, family === 4 ? 1 : 58]);
  const link = family === 4 ? pick(random, ['lan0', 'lan1']) : 'lan0';
  const net = link === 'lan0' ? '10.0.0' : '10.1.0';
  const isEcho = protocol === 1 || protocol === 58;
  return {
    ...{ family, protocol, link },
    client: family === 4 ? `${net}.${random(14) + 2}` : `fd00::${(random(14) + 2).toString(16)}`,
    clientPort: 1000 + number,
    server:
      family === 4 ? `203.0.113.${random(32)}` : `2001:db8:ff::${(random(15) + 1).toString(16)}`,
    serverPort: isEcho ? 0 : pick(random, [53, 80, 443, 444, 1500, 8080]),
    dscp: pick(random, [0, 0, 10, 46]),
  };
}
