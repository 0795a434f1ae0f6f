// What a configuration adds to our nftables table.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConfigObjects, noConfigObjects } from '../model/objects.ts';
import { nothingKept, onlyOf, planConfigChains, planConfigEntry } from './nft-config.ts';
import { counterName } from './nft-rules.ts';

const bits = { mask: 0xff000000, shift: 24 };

const chains = (given: Partial<ConfigObjects>, kept = nothingKept): string[] =>
  planConfigChains({ ...noConfigObjects, ...given }, bits, kept).map((line) => line.trim());

const policy = (
  id: number,
  snat: ConfigObjects['policies'][number]['snat'],
  family: 4 | 6 = 4,
) => ({
  ...{ id, family, link: `eth${id}` },
  ...{ snat, onlink: false },
});

describe('source addresses', () => {
  for (const [what, given, words] of [
    ['masquerade', policy(1, { kind: 'masquerade' }), 'meta nfproto ipv4 masquerade'],
    [
      'an address',
      policy(1, { kind: 'address', address: '192.0.2.2' }),
      'meta nfproto ipv4 snat ip to 192.0.2.2',
    ],
    [
      'a prefix',
      policy(1, { kind: 'npt', prefix: '2001:db8:1::/64' }, 6),
      'meta nfproto ipv6 snat ip6 prefix to ip6 saddr map { ::/0 : 2001:db8:1::/64 }',
    ],
  ] as const)
    test(what, () => {
      const lines = chains({ policies: [given] });
      assert.ok(lines.includes(`oifname "eth1" ${words}`), lines.join('\n'));
      assert.ok(lines.includes('meta mark & 0xff000000 vmap { 0x1000000 : goto snat_1 }'));
    });

  test('none, where the sender keeps its own', () => {
    assert.deepEqual(chains({ policies: [policy(1, { kind: 'none' })] }), []);
  });

  test('of gateways that are not there are left out', () => {
    const config = { ...noConfigObjects, policies: [policy(1, { kind: 'masquerade' })] };
    assert.deepEqual(onlyOf(config, [{ id: 2 }]).policies, []);
  });
});

describe('rules', () => {
  const rules = [
    { name: 'a', lines: ['ip saddr 10.0.0.1', 'ip6 saddr ::2'], fwmark: 7 },
    { name: 'b', lines: [''], fwmark: 0 },
  ];

  test('set their mark and end there, in their order; one for the main table decides against all', () => {
    const [a, b] = [counterName('a'), counterName('b')];
    assert.deepEqual(chains({ rules }), [
      `counter ${a} { packets 0 bytes 0 }`,
      `counter ${b} { packets 0 bytes 0 }`,
      'chain rules {',
      'fib daddr type != unicast return',
      `ip saddr 10.0.0.1 counter name ${a} meta mark set 0x7 return`,
      `ip6 saddr ::2 counter name ${a} meta mark set 0x7 return`,
      `counter name ${b} meta mark set 0xff000000 return`,
      '}',
    ]);
  });

  test('go on counting where the table before them stopped', () => {
    const counters = new Map([[counterName('a'), { packets: 3, bytes: 99 }]]);
    const lines = chains({ rules }, { ...nothingKept, counters });
    assert.ok(lines.includes(`counter ${counterName('a')} { packets 3 bytes 99 }`));
  });

  test('are asked for unmarked packets that come by no gateway’s link', () => {
    const config = { ...noConfigObjects, rules, outside: ['eth1', 'eth2'] };
    const asked = 'meta mark 0 goto rules';
    assert.deepEqual(planConfigEntry(config), ['iifname { "eth1", "eth2" } return', asked]);
    const inbound = [{ link: 'eth1', family: 4 as const, id: 1 }];
    assert.deepEqual(planConfigEntry({ ...config, inbound }), [
      'iifname { "eth1", "eth2" } goto inbound',
      asked,
    ]);
    assert.deepEqual(planConfigEntry({ ...config, outside: [] }), [asked]);
  });

  test('are asked for the LAN’s links alone where the file names them', () => {
    const config = { ...noConfigObjects, rules, outside: ['eth1'], lan: ['eth0'] };
    assert.deepEqual(planConfigEntry(config), ['iifname { "eth0" } meta mark 0 goto rules']);
  });
});

describe('connections from outside', () => {
  const inbound = [{ link: 'eth1', family: 4 as const, id: 1 }];

  test('keep the gateway that they have', () => {
    const lines = chains({ inbound });
    assert.deepEqual(lines.slice(0, 3), [
      'chain inbound {',
      'ct mark & 0xff000000 != 0 return',
      'iifname "eth1" meta nfproto ipv4 ct mark set ct mark & 0xffffff | 0x1000000',
    ]);
  });

  test('are told by their link beside rules for links of the LAN', () => {
    const config = { ...noConfigObjects, inbound, outside: ['eth1'], lan: ['eth0'] };
    assert.deepEqual(planConfigEntry(config), ['iifname { "eth1" } goto inbound']);
  });
});

describe('sets', () => {
  test('have one for each family that they hold', () => {
    const prefixes = ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32'];
    assert.deepEqual(chains({ sets: [{ name: 'a', prefixes, domains: [] }] }), [
      'set set_a_4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 192.0.2.0/24 }; }',
      'set set_a_6 { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8::/32 }; }',
    ]);
  });

  test('of names keep what DNS has put there', () => {
    const elements = new Map([['dns_a_4', ['192.0.2.1 timeout 30s']]]);
    const sets = [{ name: 'a', prefixes: [], domains: ['example.org'] }];
    assert.deepEqual(chains({ sets }, { ...nothingKept, elements }), [
      'set dns_a_4 { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 30s }; }',
      'set dns_a_6 { type ipv6_addr; flags timeout; }',
    ]);
  });
});

describe('a link with small packets', () => {
  test('has segments made smaller in both directions, by each family’s headers', () => {
    const lines = chains({ clamps: [{ link: 'ppp0', mtu: 1492 }] });
    for (const word of ['iifname', 'oifname'])
      for (const [family, size] of [
        [4, 1452],
        [6, 1432],
      ] as const)
        assert.ok(
          lines.some(
            (line) =>
              line.startsWith(`${word} "ppp0" meta nfproto ipv${family} `) &&
              line.endsWith(`size set ${size}`),
          ),
          `${word} IPv${family}`,
        );
  });
});
