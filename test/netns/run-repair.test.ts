// Somebody restarts the firewall, flushes routes, takes links down, changes addresses without telling:
// lvsj run puts back what is ours, and what is not concerned does not notice. Needs root.
//
//   lan ── eth0 director eth1 ── isp1
//                        eth2 ── isp2, by DHCP and router advertisements
//                        ppp3 ── isp3, a point-to-point link
//
// Elsewhere: openwrt 435, 22122; openwrt/packages 11441, 15145 (address change without ifup), 25792; VyOS T7977.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { ConfigLab } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families } from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new ConfigLab('repair', 3, { dhcp: [2], ppp: [3] });
const daemon = new Daemon(lab);

const config = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  cable: { link: eth2, via: auto }
  dsl: { link: ppp3, via: onlink }
services:
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, cable: 1, dsl: 1 } }
rules:
  - { service: all }`;

const seen = {
  4: ['192.0.2.2', '203.0.113.2', '100.64.3.2'],
  6: ['2001:db8:1::2', '2001:db8:2::2', '2001:db8:3::2'],
} as const;

/** Twelve connections of each family, on all three. */
function assertShared(): void {
  for (const family of families) {
    const want = Object.fromEntries(seen[family].map((address) => [address, 4]));
    assert.deepEqual(lab.connect(family, { count: 12 }), want);
  }
}

/** Rules, routes and the nftables table are what they were. */
const isWhole = (): boolean => lab.plan().changes.length === 0;

const each = (prefs: string, command: string): string =>
  `for family in -4 -6; do for n in ${prefs}; do ip $family ${command} 2>&- || true; done; done`;

const ids = '1 2 3 4 5 6';
const damages = {
  "gateways' policy rules are deleted": each(ids, 'rule del pref 2010$n'),
  "services' policy rules are deleted": each('1', 'rule del pref 20901'),
  'all policy rules are deleted':
    'ip -4 rule flush; ip -6 rule flush; ip -4 rule add pref 32766 lookup main; ip -6 rule add pref 32766 lookup main',
  'gateways lose their routes': each(ids, 'route flush table 2000$n'),
  "the director's own route is deleted": 'ip -4 route flush table 20000',
  "all of the director's routes are deleted": each('1', 'route flush table 20000'),
  // Nobody tells of that: seen with the next event, or after half a minute.
  'the programs are taken off the LAN': 'tc qdisc del dev eth0 clsact; ip link set eth0 alias lan',
  'a chain of our table is emptied': 'nft flush chain inet lvsj prerouting',
  'the ruleset is flushed': 'nft flush ruleset',
};

describe('lvsj run repairs', { timeout: 120_000 }, () => {
  let steady: SteadyRun[] = [];
  const endSteady = async (): Promise<void> => {
    for (const run of steady) {
      const { lived, moved, reasons } = await run.end();
      assert.deepEqual({ lived, moved, reasons }, { lived: 30, moved: 0, reasons: [] });
    }
  };

  before(async () => {
    await lab.up();
    await daemon.start(config);
  });
  afterEach(() => {
    for (const run of steady) run.kill();
  });
  after(async () => {
    await daemon.end();
    await lab.down();
  });

  for (const [what, damage] of Object.entries(damages))
    test(`${what}: put back, and connections that say nothing meanwhile live`, async () => {
      steady = await Promise.all(
        families.map((family) => startSteady(lab, family, { count: 30, interval: 3600 })),
      );
      lab.director(damage);
      await daemon.until('the repair', isWhole);
      assertShared();
      await endSteady();
    });

  /**
   * As systemctl restart nftables does, in one transaction. A file without masquerade of its own, or a
   * bare `nft flush ruleset`, turns the kernel's translation off until ours is back: whose server speaks
   * in that moment is reset by the kernel, as with any other user of nftables.
   */
  const restart = `flush ruleset
table inet admin {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname tun0 masquerade
  }
}
`;

  test('the firewall is restarted with its file: connections live that never are silent', async () => {
    lab.run('director', ['nft', '-f', '-'], restart);
    await daemon.until('the repair', isWhole);
    steady = await Promise.all(
      families.map((family) => startSteady(lab, family, { count: 30, interval: 0.02 })),
    );
    for (let times = 0; times < 3; times++) {
      lab.run('director', ['nft', '-f', '-'], restart);
      await daemon.until('the repair', isWhole);
      for (const run of steady) await run.rounds(5);
    }
    assertShared();
    await endSteady();
  });
});
