// Questions to a provider's resolvers: which lines of our table lead them to its gateway.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConfigObjects, noConfigObjects } from '../model/objects.ts';
import { planNft } from './nft.ts';
import type { Wanted } from './objects.ts';

const bits = { mask: 0xff000000, shift: 24 };
const question = 'meta l4proto { tcp, udp } th dport { 53, 853 } jump resolvers';

const resolvers = [
  { family: 4 as const, addresses: ['192.0.2.53', '192.0.2.54'], id: 1 },
  { family: 6 as const, addresses: ['2001:db8:2::53'], id: 2 },
];

const wanted: Omit<Wanted, 'config'> = {
  gateways: [
    { id: 1, family: 4, via: '192.0.2.1', link: 'eth1', scoped: false },
    { id: 2, family: 6, via: '2001:db8:2::1', link: 'eth2', scoped: false },
  ],
  ...{ fwmarks: [1], onePacket: [], families: [4, 6] },
};

/** The lines of each chain. */
function chains(given: Partial<ConfigObjects>, gateways = wanted.gateways): Map<string, string[]> {
  const config = { ...noConfigObjects, outside: ['eth1', 'eth2'], resolvers, ...given };
  const script = planNft({ ...wanted, gateways, config }, bits);
  return new Map(
    [...script.matchAll(/^ {2}chain (\w+) \{\n(.*?)^ {2}\}/gms)].map(([, name, lines]) => [
      name as string,
      (lines as string)
        .trimEnd()
        .split('\n')
        .map((line) => line.trim()),
    ]),
  );
}

const rules = [{ name: 'all', lines: [''], fwmark: 1 }];

describe('questions to resolvers', () => {
  test('get the mark of their gateway, and no others do', () => {
    assert.deepEqual(chains({}).get('resolvers'), [
      'ip daddr { 192.0.2.53, 192.0.2.54 } meta mark set meta mark | 0x1000000',
      'ip6 daddr { 2001:db8:2::53 } meta mark set meta mark | 0x2000000',
    ]);
    assert.equal(chains({ resolvers: [] }).has('resolvers'), false);
    assert.deepEqual(chains({}, wanted.gateways.slice(0, 1)).get('resolvers')?.length, 1);
  });

  test('of the LAN are asked before the rules, whatever their mark', () => {
    assert.deepEqual(chains({ rules }).get('fresh'), [
      'iifname { "eth1", "eth2" } return',
      question,
      'meta mark 0 goto rules',
    ]);
    assert.deepEqual(chains({ lan: ['eth0'] }).get('fresh'), [
      `iifname { "eth0", "lvsj0p" } ${question}`,
    ]);
  });

  test('of the router are routed anew, with all packets of their connection', () => {
    assert.deepEqual(chains({}).get('output'), [
      'type route hook output priority -140; policy accept;',
      'ct direction original meta mark & 0xff000000 == 0 ct mark & 0xff000000 vmap ' +
        '{ 0x1000000 : goto restore_1, 0x2000000 : goto restore_2 }',
      `meta mark & 0xff000000 == 0 ct direction original ct state new ${question}`,
    ]);
    assert.equal(chains({ resolvers: [] }).has('output'), false);
  });

  test('of the router get the address of the link where others keep theirs', () => {
    const none = {
      family: 4 as const,
      link: 'eth1',
      snat: { kind: 'none' as const },
      onlink: false,
    };
    const policies = [
      { ...none, id: 1 },
      { ...none, id: 3 },
    ];
    const made = chains({ policies }, [...wanted.gateways, { ...wanted.gateways[0]!, id: 3 }]);
    assert.deepEqual(made.get('snat_1'), [
      'oifname "eth1" meta nfproto ipv4 fib saddr type local masquerade',
    ]);
    assert.equal(made.has('snat_3'), false);
  });
});
