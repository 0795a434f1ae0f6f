// Each provider's resolvers are asked by its own link, by the LAN and by the router itself. Needs root.
//
// The internet host has two addresses: one is the resolver of fiber (isp1), the other of lte (isp2).
//
// Elsewhere the resolver of a line that is dead, or that answers its own customers alone, is asked by
// the other line: openwrt/packages #27631; firerouter has routes for each.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { internet } from '../../src/lab/topology.ts';
import type { Family } from '../../src/model/table.ts';
import { ConfigLab, everything } from './config-lab.ts';
import { type ClientOptions, families, seen } from './director-lab.ts';

const lab = new ConfigLab('resolvers');

const config = (router: string, snat = 'masquerade') => `
router: ${router}
gateways:
  fiber:
    { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 }, snat: ${snat},
      resolvers: [${internet.ipv4[0]}, "${internet.ipv6[0]}"] }
  lte:
    { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 },
      resolvers: [${internet.ipv4[1]}, "${internet.ipv6[1]}"] }
${everything}`;

/** DNS of the internet host: its echo, and its HTTP. */
const dns = `table inet dns {
  chain prerouting {
    type nat hook prerouting priority dstnat
${internet.ipv4.map((address) => `    ip daddr ${address} udp dport 53 dnat ip to ${address}:7`).join('\n')}
${internet.ipv6.map((address) => `    ip6 daddr ${address} udp dport 53 dnat ip6 to [${address}]:7`).join('\n')}
${internet.ipv4.map((address) => `    ip daddr ${address} tcp dport 53 dnat ip to ${address}:80`).join('\n')}
${internet.ipv6.map((address) => `    ip6 daddr ${address} tcp dport 53 dnat ip6 to [${address}]:80`).join('\n')}
  }
}`;

const resolver = (family: Family, isp: 0 | 1): string => internet[`ipv${family}`][isp] as string;

/** Addresses that the resolver saw, of 4 sockets that asked twice. */
const ask = (family: Family, isp: 0 | 1, options: ClientOptions = {}) =>
  lab.udp(family, { port: 53, count: 8, sockets: 4, to: resolver(family, isp), ...options });

const router = (family: Family, address = family === 4 ? '0.0.0.0' : '::'): ClientOptions => ({
  host: 'director',
  from: [address],
});

/** Of both resolvers, by whomever. */
function assertOwnLinks(family: Family, options: ClientOptions): void {
  const { isp1, isp2 } = seen[family];
  assert.deepEqual(ask(family, 0, options), { [isp1]: 8 });
  assert.deepEqual(ask(family, 1, options), { [isp2]: 8 });
}

/** Likewise by TCP: every packet of a connection. */
function assertOwnLinksByTcp(family: Family, options: ClientOptions): void {
  for (const [isp, address] of Object.values(seen[family]).entries()) {
    const to = resolver(family, isp as 0 | 1);
    const host = `${family === 6 ? `[${to}]` : to}:53`;
    assert.deepEqual(lab.connect(family, { count: 4, to: host, ...options }), { [address]: 4 });
  }
}

describe('resolvers', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.run('internet', ['nft', '-f', '-'], dns);
    lab.apply(config('main'));
  });
  afterEach(() => lab.assertNoStrays());
  after(() => lab.down());

  for (const family of families) {
    test(`are asked by their own link, by the LAN and by the router: IPv${family}`, () => {
      for (const options of [{}, router(family)]) {
        assertOwnLinks(family, options);
        assertOwnLinksByTcp(family, options);
      }
    });

    test(`are asked by it from an address of the LAN, too: IPv${family}`, () => {
      assertOwnLinks(family, router(family, lab.router(family)));
    });

    test(`are hosts like others on other ports: IPv${family}`, () => {
      const { isp1, isp2 } = seen[family];
      assert.deepEqual(lab.connect(family, { count: 4 }), { [isp1]: 2, [isp2]: 2 });
    });
  }

  test('are asked by it while the rest of the router is shared out', () => {
    lab.apply(config('all'));
    for (const family of families) assertOwnLinks(family, router(family));
    lab.apply(config('main'));
  });

  test('are asked with the address of the link where the LAN keeps its own', () => {
    lab.apply(config('main', 'none'));
    for (const family of families) assertOwnLinks(family, router(family, lab.router(family)));
    lab.apply(config('main'));
  });

  test('of a gateway that takes nothing new are asked as if nobody had named them', () => {
    lab.lvsj('gateway lte drain');
    for (const family of families) {
      const { isp1 } = seen[family];
      assert.deepEqual(ask(family, 1), { [isp1]: 8 });
      assert.deepEqual(ask(family, 1, router(family)), { [isp1]: 8 });
    }
    lab.lvsj('gateway lte enable');
    assertOwnLinks(4, {});
  });
});
