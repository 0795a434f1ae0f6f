// Which of the router's own packets lead where: the policy rules, the route and the nftables lines.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BoundObject, type ConfigObjects, noConfigObjects } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import { diffObjects } from './diff.ts';
import { planObjects, type Wanted } from './objects.ts';
import { chooseSource } from './router-rules.ts';

const bits = { mask: 0xff000000, shift: 24 };
const lan = { 4: '10.0.0.1', 6: '2001:db8:10::1' };

const bound = (id: number, family: Family, link: string, ...addresses: string[]): BoundObject => ({
  id,
  family,
  link,
  addresses,
});

/** Gateways 1 and 2 of IPv4 on eth1 and eth2, 3 of IPv6 on eth1. */
const wanted = (config?: Partial<ConfigObjects>): Wanted => ({
  gateways: [
    { id: 1, family: 4, via: '192.0.2.1', link: 'eth1', scoped: false },
    { id: 2, family: 4, via: '203.0.113.1', link: 'eth2', scoped: false },
    { id: 3, family: 6, via: '2001:db8:1::1', link: 'eth1', scoped: false },
  ],
  fwmarks: [1],
  onePacket: [],
  families: [4, 6],
  ...(config && { config: { ...noConfigObjects, ...config } }),
});

const plan = (config?: Partial<ConfigObjects>) => planObjects(wanted(config), bits);

/** Of the rules for the router's own, and of the jumps there. */
const ownRulesOf = (config: Partial<ConfigObjects>, family: Family): string[] =>
  plan(config)
    .rules.filter((rule) => rule.family === family)
    .filter(({ priority }) => priority === 20000 || (priority > 20800 && priority !== 20901))
    .filter(({ selector }) => selector !== 'iif lvsj0')
    .map(({ priority, selector, action }) => `${priority} ${selector} ${action}`);

const both = [bound(1, 4, 'eth1', '192.0.2.2'), bound(2, 4, 'eth2', '203.0.113.2', '203.0.113.3')];
const router = { fwmark: 1, sources: lan };

describe("the plan for the router's own packets", () => {
  test('is the same as without a configuration where it says nothing of them', () => {
    assert.deepEqual(plan({}).rules, plan().rules);
    assert.deepEqual(plan({}).routes, plan().routes);
    assert.equal(plan({}).nft, plan().nft);
    assert.deepEqual(ownRulesOf({}, 4), [
      '20000 fwmark 0/0xffffffff goto 20999',
      '20900 iif lo goto 20999',
      '20999  nop',
    ]);
  });

  test('leads what is bound to a link or an address to its gateway, behind internal routes', () => {
    assert.deepEqual(ownRulesOf({ bound: both }, 4), [
      '20000 fwmark 0/0xffffffff goto 20950',
      '20900 iif lo goto 20999',
      '20899 iif lo goto 20951',
      '20950 not iif lo goto 20999',
      '20951  lookup main suppress_prefixlength 0',
      '20952 oif eth1 lookup 20001',
      '20952 oif eth2 lookup 20002',
      '20953 from 192.0.2.2 lookup 20001',
      '20953 from 203.0.113.2 lookup 20002',
      '20953 from 203.0.113.3 lookup 20002',
      '20999  nop',
    ]);
    // No gateway of this family has anything bound to it.
    assert.deepEqual(ownRulesOf({ bound: both }, 6), ownRulesOf({}, 6));
  });

  test('takes the first of several gateways on one link, and none that is gone', () => {
    const rules = ownRulesOf(
      { bound: [bound(9, 4, 'eth1', '192.0.2.2'), ...both, bound(2, 4, 'eth1', '192.0.2.2')] },
      4,
    );
    assert.deepEqual(rules, ownRulesOf({ bound: both }, 4));
  });

  test('leads what has no source yet, and what got one, to the service: IPv4', () => {
    assert.deepEqual(ownRulesOf({ router }, 4).slice(3, -1), [
      '20950 not iif lo goto 20999',
      '20951  lookup main suppress_prefixlength 0',
      '20954 from 10.0.0.1 lookup 20255',
      '20955 from 0.0.0.0 fwmark 0/0xffffffff lookup 20255',
    ]);
  });

  test('leads what has no source yet, and what got one, to the service: IPv6', () => {
    assert.deepEqual(ownRulesOf({ router }, 6).slice(3, -1), [
      '20950 not iif lo goto 20999',
      '20951  lookup main suppress_prefixlength 0',
      '20954 from 2001:db8:10::1 lookup 20255',
      '20955 from ::/1 goto 20999',
      '20955 from 8000::/1 goto 20999',
      '20956 fwmark 0/0xffffffff lookup 20255',
    ]);
  });

  test('shares out a family only where there is an address to begin with', () => {
    const config = { router: { fwmark: 1, sources: { 4: lan[4] } } };
    assert.deepEqual(ownRulesOf(config, 6), ownRulesOf({}, 6));
    const { routes } = plan(config);
    assert.deepEqual(routes.at(-1), {
      family: 4,
      table: 20255,
      via: '192.0.0.8',
      link: 'lvsj0',
      onlink: true,
      teaches: false,
      source: '10.0.0.1',
    });
  });

  test('binds no shared connection to the gateway that its first address is of', () => {
    const config = { bound: both, router: { fwmark: 1, sources: { 4: '192.0.2.2' } } };
    const rules = ownRulesOf(config, 4);
    assert.ok(rules.includes('20954 from 192.0.2.2 lookup 20255'));
    assert.ok(!rules.includes('20953 from 192.0.2.2 lookup 20001'));
  });

  test('marks them where they come in again, and hides their way out from conntrack', () => {
    const { nft } = plan({ router: { ...router, fwmark: 7 } });
    assert.match(nft, /hook output priority raw; policy accept;\n +oifname "lvsj0" notrack\n/);
    const line = /iifname "lvsj0p" meta mark & 0xffffff == 0 meta mark set meta mark \| 0x7\n/.exec(
      nft,
    );
    // Before a gateway is restored by the conntrack mark.
    assert.ok(line && line.index < nft.indexOf('goto known'));
    assert.match(nft, /priority 101; policy accept;\n +iifname "lvsj0p" masquerade\n/);
    assert.doesNotMatch(plan({ bound: both }).nft, /lvsj0/);
  });

  test('leads them to the director only while the nftables table is ready for them', () => {
    const { add } = diffObjects(plan({}), plan({ router }));
    const { remove } = diffObjects(plan({ router }), plan({}));
    for (const changes of [add, remove]) {
      const late = changes.filter(({ needsNft }) => needsNft).map(({ words }) => words);
      assert.equal(late.length, 4);
      for (const words of late) assert.match(words, /lookup 20255$/);
    }
    assert.ok(
      add.some(({ words }) =>
        words.endsWith('default via fe80::1 dev lvsj0 table 20255 src 2001:db8:10::1'),
      ),
    );
  });
});

describe("the address that the router's own connections begin with", () => {
  const addresses = [
    { link: 'lo', address: '127.0.0.1' },
    { link: 'lo', address: '::1' },
    { link: 'eth1', address: '192.0.2.2' },
    { link: 'eth1', address: '2001:db8:1::2' },
    { link: 'eth0', address: 'fe80::1' },
    { link: 'eth0', address: '10.0.0.1' },
    { link: 'eth0', address: 'fd00::1' },
  ];
  const choose = (family: Family, more: { link: string; address: string }[] = []) =>
    chooseSource(family, [...addresses, ...more], ['eth1']);

  test('is one that no gateway is known by', () => {
    assert.equal(choose(4), '10.0.0.1');
    assert.equal(choose(6, [{ link: 'eth0', address: '2001:db8:10::1' }]), '2001:db8:10::1');
  });

  test('is rather a global one of a gateway than a private one: programs would avoid IPv6', () => {
    assert.equal(choose(6), '2001:db8:1::2');
  });

  test('is none where there is none', () => {
    assert.equal(chooseSource(4, [{ link: 'eth0', address: '169.254.3.4' }], []), undefined);
    assert.equal(chooseSource(6, [{ link: 'eth0', address: 'fe80::1' }], []), undefined);
  });
});
