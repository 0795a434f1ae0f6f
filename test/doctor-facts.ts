// A healthy router for the tests of src/doctor: a LAN on eth0, two providers on eth1 and eth2, a director
// with a service. Each test makes one thing wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Found } from '../src/doctor/finding.ts';
import type {
  DirectorFacts,
  Facts,
  GatewayFact,
  LinkFact,
  RouteFact,
  RuleFact,
} from '../src/model/facts.ts';

export const link = (name: string, prefix: string, more: Partial<LinkFact> = {}): LinkFact => {
  const [address = '', length] = prefix.split('/');
  const family = address.includes(':') ? 6 : 4;
  return {
    ...{ name, up: true, carrier: true, loopback: false, resolves: true, mtu: 1500, master: '' },
    addresses: address ? [{ family, address, length: Number(length), scope: 'global' }] : [],
    ...more,
  };
};

export const gateway = (address: string, name: string, more: Partial<GatewayFact> = {}) => ({
  ...{ name: address, family: 4 as const, id: 1, address, link: name, learnt: false, mtu: 0 },
  ...{ snat: null, unavailable: '' },
  ...more,
});

export const route = (to: string, name: string, more: Partial<RouteFact> = {}): RouteFact => ({
  ...{ family: to.includes(':') ? 6 : 4, table: 'main', to, type: 'unicast', via: '' },
  ...{ link: name, metric: 0, protocol: '' },
  ...more,
});

export const rule = (priority: number, more: Partial<RuleFact> = {}): RuleFact => ({
  ...{ family: 4, priority, not: false, from: 'all', to: 'all', fwmark: null, iif: '', oif: '' },
  ...{ rest: '', action: 'lookup main', table: 'main', suppress: -1 },
  ...more,
});

const director = (): DirectorFacts => ({
  file: '',
  markMask: 0xff000000,
  connections: { now: 10, limit: 65536 },
  gateways: [gateway('192.0.2.1', 'eth1'), gateway('203.0.113.1', 'eth2', { id: 2 })],
  services: [{ name: 'service web', family: 4, fwmark: 1 }],
  lan: ['eth0'],
  lanWithoutPrograms: [],
  timersPinned: true,
  expiryAlive: true,
  repairs: [],
  withoutProgram: [],
  nftIsDamaged: false,
  fastpath: null,
});

const network = () => ({
  links: [
    link('lo', '127.0.0.1/8', { loopback: true }),
    link('eth0', '10.0.0.1/24'),
    link('eth1', '192.0.2.2/24'),
    link('eth2', '203.0.113.2/24'),
    link('lvsj0', ''),
  ],
  rules: [rule(0, { action: 'lookup local', table: 'local' }), rule(32766)],
  routes: [
    route('0.0.0.0/0', 'eth1', { via: '192.0.2.1' }),
    route('10.0.0.0/24', 'eth0'),
    route('192.0.2.0/24', 'eth1'),
    route('203.0.113.0/24', 'eth2'),
  ],
  neighbours: [
    { address: '192.0.2.1', link: 'eth1', state: 'REACHABLE' },
    { address: '203.0.113.1', link: 'eth2', state: 'REACHABLE' },
  ],
});

const healthy = (): Facts => ({
  kernel: {
    release: '6.1.0-28-amd64',
    features: {
      ...{ btf: true, 'route programs': true, clsact: true, nftables: true, conntrack: true },
    },
  },
  programs: ['ip', 'tc', 'nft', 'bpftool', 'nsenter', 'conntrack', 'ethtool'].map((name) => ({
    name,
    version: '1.0',
  })),
  sysctls: {
    'net/ipv4/ip_forward': '1',
    'net/ipv6/conf/all/forwarding': '1',
    'net/ipv4/conf/all/rp_filter': '0',
    'net/ipv4/conf/eth0/rp_filter': '1',
    'net/netfilter/nf_conntrack_count': '100',
    'net/netfilter/nf_conntrack_max': '262144',
  },
  ...network(),
  nft: [],
  iptables: [
    {
      program: 'iptables',
      family: 4,
      text: '*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n',
    },
  ],
  legacyTables: [],
  passedFilters: [],
  lro: { eth0: 'off [fixed]' },
  clockIsSynchronised: true,
  networkdTakesRules: false,
  conntrackMaxIsWritable: true,
  director: director(),
});

/** What is wrong, as parts of the healthy router. */
export interface Wrong extends Partial<Omit<Facts, 'director'>> {
  director?: Partial<DirectorFacts>;
  /** More of them. */
  sysctl?: Record<string, string>;
  rule?: RuleFact;
  route?: RouteFact;
  /** Lines of iptables-save, by table. */
  table?: Record<string, string>;
}

export function factsWith(wrong: Wrong = {}): Facts {
  const facts = healthy();
  const { sysctl = {}, rule: ofRules, route: ofRoutes, table = {}, ...rest } = wrong;
  const lines = Object.entries(table).map(([name, text]) => `*${name}\n${text}\nCOMMIT\n`);
  return {
    ...facts,
    rules: [...facts.rules, ...(ofRules ? [ofRules] : [])],
    routes: [...facts.routes, ...(ofRoutes ? [ofRoutes] : [])],
    iptables: [
      ...facts.iptables,
      ...lines.map((text) => ({ program: 'iptables', family: 4 as const, text })),
    ],
    ...rest,
    sysctls: { ...facts.sysctls, ...sysctl },
    director: { ...director(), ...rest.director },
  };
}

export const withoutDirector = (wrong: Partial<Facts> = {}): Facts => ({
  ...healthy(),
  director: undefined,
  links: healthy().links.filter(({ name }) => name !== 'lvsj0'),
  ...wrong,
});

/** A rule of nftables as `nft -j` lists it, in a base chain of this hook. */
export const nftRule = (hook: string, prio: number, expr: object[], table = 'fw'): unknown[] => [
  { chain: { family: 'inet', table, name: 'c', handle: 1, type: 'filter', hook, prio } },
  { rule: { family: 'inet', table, chain: 'c', handle: 7, expr } },
];

/** Something wrong, and what a check says of it: `severity: what -> fix`. */
export type Case = [name: string, wrong: Wrong, found: string[]];

export const say = ({ severity, what, fix }: Found): string => `${severity}: ${what} -> ${fix}`;

/** A test for each case, and one that the check is content with the healthy router. */
export function testCheck(check: Check, cases: Case[]): void {
  test(`${check.name} finds nothing wrong with a healthy router`, () => {
    assert.deepEqual(check.find(factsWith()), []);
  });
  for (const [name, wrong, found] of cases)
    test(`${check.name}: ${name}`, () => {
      assert.deepEqual(check.find(factsWith(wrong)).map(say), found);
    });
}
