// What is inside stays inside, and strict reverse-path checks hurt nobody. Needs root.
//
//   lan ── eth0 director eth1,eth2 ── isp1, isp2 ── internet
//                        eth3 ── isp3: no ISP here but a branch office, with networks behind it
//
// Elsewhere a table of a line's own has the default route and nothing else, and internal networks leave
// by it: VyOS T8480; Red Hat solution 53031 and cr0x.net for rp_filter.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { families, seen } from './director-lab.ts';

const lab = new ConfigLab('internal', 3);
const branch = { 4: '10.9.0.1', 6: '2001:db8:9::1' } as const;
/** Of the same networks, and there is nobody. */
const nobody = { 4: '10.9.77.1', 6: '2001:db8:9:77::1' } as const;
const shared = (family: 4 | 6) => ({ [seen[family].isp1]: 4, [seen[family].isp2]: 4 });

/** Packets to internal networks, at each ISP: whatever source address they have by then. */
const watch = `table inet leak {
  counter leaks { }
  chain prerouting {
    type filter hook prerouting priority raw
    iifname eth0 ip daddr { 10.0.0.0/8, 100.64.3.0/24 } counter name leaks
    iifname eth0 ip6 daddr { 2001:db8:9::/48, 2001:db8:10::/64, 2001:db8:3::/64 } counter name leaks
  }
}`;

function assertNoLeaks(): void {
  for (const host of ['isp1', 'isp2']) {
    const counters = lab.run(host, ['nft', 'list', 'counters', 'table', 'inet', 'leak']);
    assert.match(counters, /packets 0 /, `an internal packet came to ${host}`);
  }
}

const ping = (to: string): number =>
  lab.tryRun('lan', ['ping', '-c', '2', '-i', '0.01', '-W', '1', to]).status;

describe('internal networks', { timeout: 60_000 }, () => {
  before(async () => {
    await lab.up();
    lab.script(
      'isp3',
      `ip addr add ${branch[4]}/32 dev lo; ip addr add ${branch[6]}/128 dev lo
      ip rule del pref 20; ip -6 rule del pref 20
      nft flush table inet watch
      ip route replace 10.0.0.0/24 via 100.64.3.2; ip route replace 2001:db8:10::/64 via 2001:db8:3::2`,
    );
    lab.director(`
      for link in all default eth0 eth1 eth2 eth3; do sysctl -qw net.ipv4.conf.$link.rp_filter=1; done
      sysctl -qw net.ipv4.conf.all.src_valid_mark=1
      ip route add 10.9.0.0/16 via 100.64.3.1; ip route add 2001:db8:9::/48 via 2001:db8:3::1
      ip route add unreachable 10.0.0.0/8; ip route add unreachable 2001:db8:9::/48 metric 5000`);
    for (const host of ['isp1', 'isp2']) lab.run(host, ['nft', '-f', '-'], watch);
    lab.apply(gateways + everything);
  });
  afterEach(() => {
    lab.assertNoStrays();
    assertNoLeaks();
  });
  after(() => lab.down());

  test('the internet is shared out, with strict checks of the way back on every link', () => {
    for (const family of families)
      assert.deepEqual(lab.connect(family, { count: 8 }), shared(family));
  });

  test('links that have no gateway keep their strict checks', () => {
    const of = (link: string) =>
      lab.director(`cat /proc/sys/net/ipv4/conf/${link}/rp_filter`).trim();
    assert.deepEqual([of('eth0'), of('eth3')], ['1', '1']);
  });

  test('a branch office is reached on its own link, with addresses of the LAN', () => {
    const had = lab.connections().length;
    for (const to of [branch[4], branch[6], '100.64.3.1', '2001:db8:3::1'])
      assert.equal(ping(to), 0, to);
    assert.equal(lab.connections().length, had, 'none of it was scheduled');
  });

  test('an internal address that nobody has is not looked for in the internet', () => {
    for (const to of [...Object.values(nobody), '10.0.0.99', '10.77.0.1'])
      assert.equal(ping(to), 1, to);
  });

  test('when the way to a branch office is gone, its packets do not leave by a line', (t) => {
    lab.director('ip link set eth3 down');
    t.after(() => lab.director('ip link set eth3 up'));
    for (const to of Object.values(branch)) assert.equal(ping(to), 1, to);
    for (const family of families)
      assert.deepEqual(lab.connect(family, { count: 8 }), shared(family));
  });
});
