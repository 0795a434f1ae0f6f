// The director at work in a lab: who is shared out over which gateway, with what source address, and
// who is left alone. Needs root.
//
//                                      ┌─ isp1 (weight 3) ─┐
//   lan ── eth0 director eth1,eth2 ────┤                   ├── internet
//                        eth3 ── isp3  └─ isp2 (weight 1) ─┘
//
// isp3 is no ISP here: a branch office, on a network behind the director that no gateway leads to.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import {
  DirectorLab,
  families,
  markNew,
  recipeTable,
  seen,
  serverAddress,
  snatAll,
} from './director-lab.ts';

const lab = new DirectorLab('director', 3);

/** 40 connections by weights 3 : 1. */
const shared = (family: 4 | 6) => ({ [seen[family].isp1]: 30, [seen[family].isp2]: 10 });
const byMain = (family: 4 | 6) => ({ [seen[family].isp1]: 40 });

/** TCP, and datagrams of 8 sockets that each send 5: one on another link would be seen or lost. */
function assertShared(): void {
  for (const family of families) {
    assert.deepEqual(lab.connect(family, { count: 40 }), shared(family));
    assert.deepEqual(lab.udp(family, { count: 40, sockets: 8 }), shared(family));
  }
}

function assertByMain(): void {
  for (const family of families) {
    assert.deepEqual(lab.connect(family, { count: 40 }), byMain(family));
    assert.deepEqual(lab.udp(family, { count: 40, sockets: 8 }), byMain(family));
  }
}

/** Three echo requests, all answered. */
const ping = (host: string, to: string) =>
  lab.run(host, ['ping', '-c', '3', '-i', '0.01', '-W', '2', to]);

const setMarks: Record<string, string> = {
  'new connections only': markNew,
  'every packet': `
    iptables -t mangle -A PREROUTING -s 10.0.0.0/24 -j MARK --set-mark 1
    ip6tables -t mangle -A PREROUTING -s 2001:db8:10::/64 -j MARK --set-mark 1`,
  'every packet, whichever its direction': `
    iptables -t mangle -A PREROUTING -j MARK --set-mark 1
    ip6tables -t mangle -A PREROUTING -j MARK --set-mark 1`,
  'with CONNMARK, saved and restored as a whole': ['iptables', 'ip6tables']
    .map(
      (iptables) => `
    ${iptables} -t mangle -A PREROUTING -j CONNMARK --restore-mark
    ${iptables} -t mangle -A PREROUTING -i eth0 -m mark --mark 0 -j MARK --set-mark 1
    ${iptables} -t mangle -A PREROUTING -j CONNMARK --save-mark
    ${iptables} -t mangle -A POSTROUTING -j CONNMARK --save-mark`,
    )
    .join('\n'),
  'with CONNMARK, of the service bits only': ['iptables', 'ip6tables']
    .map(
      (iptables) => `
    ${iptables} -t mangle -A PREROUTING -j CONNMARK --restore-mark --mask 0xffffff
    ${iptables} -t mangle -A PREROUTING -i eth0 -m mark --mark 0/0xffffff -j MARK --set-xmark 1/0xffffff
    ${iptables} -t mangle -A PREROUTING -j CONNMARK --save-mark --mask 0xffffff`,
    )
    .join('\n'),
  'by nft, new connections only': `nft -f - <<END
    table inet admin {
      chain prerouting {
        type filter hook prerouting priority mangle
        iifname eth0 ct state new meta mark set 1
      }
    }
END`,
  'by nft, every packet, after our own table': `nft -f - <<END
    table inet admin {
      chain prerouting {
        type filter hook prerouting priority dstnat
        iifname eth0 meta mark set 1
      }
    }
END`,
  'by nft, with ct mark': `nft -f - <<END
    table inet admin {
      chain prerouting {
        type filter hook prerouting priority mangle
        meta mark set ct mark
        iifname eth0 meta mark 0 meta mark set 1
        ct mark set meta mark
      }
    }
END`,
};

describe('director', { timeout: 120_000 }, () => {
  before(() => lab.up());
  after(() => lab.down());
  beforeEach(() => {
    lab.restore(recipeTable);
    // Late packets of the test before, which came when the admin's rules were gone.
    lab.resetStrays();
  });
  afterEach(() => {
    lab.assertNoStrays();
    lab.clearAdmin();
  });

  test('the recipe shares connections by weight, each with the address of its link', () => {
    lab.lvsj('ipvsadm -C');
    lab.director(`
      iptables -t mangle -A PREROUTING -s 10.0.0.0/24 -m state --state NEW -j MARK --set-mark 1
      lvsj ipvsadm -A -f 1 -s wrr
      lvsj ipvsadm -a -f 1 -r 192.0.2.1 -j -w 3
      lvsj ipvsadm -a -f 1 -r 203.0.113.1 -j -w 1
      iptables -t nat -A POSTROUTING -o eth1 -m mark --mark 1/0xffffff -j SNAT --to-source 192.0.2.2
      iptables -t nat -A POSTROUTING -o eth2 -m mark --mark 1/0xffffff -j SNAT --to-source 203.0.113.2`);
    assert.deepEqual(lab.connect(4, { count: 40 }), shared(4));
  });

  test('the recipe does the same for IPv6', () => {
    lab.lvsj('ipvsadm -C');
    lab.director(`
      ip6tables -t mangle -A PREROUTING -s 2001:db8:10::/64 -m state --state NEW -j MARK --set-mark 1
      lvsj ipvsadm -A -f 1 -6 -s wrr
      lvsj ipvsadm -a -f 1 -6 -r 2001:db8:1::1 -j -w 3
      lvsj ipvsadm -a -f 1 -6 -r 2001:db8:2::1 -j -w 1
      ip6tables -t nat -A POSTROUTING -o eth1 -m mark --mark 1/0xffffff -j SNAT --to-source 2001:db8:1::2
      ip6tables -t nat -A POSTROUTING -o eth2 -m mark --mark 1/0xffffff -j SNAT --to-source 2001:db8:2::2`);
    assert.deepEqual(lab.connect(6, { count: 40 }), shared(6));
  });

  for (const [discipline, rules] of Object.entries(setMarks))
    test(`a connection stays on its gateway where marks are set ${discipline}`, () => {
      lab.director(`${rules}\n${snatAll}`);
      assertShared();
    });

  test('masquerade gives the address of the chosen link', () => {
    lab.director(`${markNew}
      iptables -t nat -A POSTROUTING -m mark --mark 1/0xffffff -j MASQUERADE
      ip6tables -t nat -A POSTROUTING -m mark --mark 1/0xffffff -j MASQUERADE`);
    assertShared();
  });

  test('traffic without a mark goes by the main table', () => {
    lab.director(snatAll);
    assert.deepEqual(lab.newConnections(assertByMain), []);
  });

  for (const [what, mark] of [
    ['of no service', 2],
    ['of a service without gateways', 3],
  ] as const)
    test(`a mark ${what} goes by the main table`, () => {
      lab.lvsj('ipvsadm -A -f 3');
      lab.lvsj('ipvsadm -A -f 3 -6');
      lab.director(`${markNew.replaceAll('--set-mark 1', `--set-mark ${mark}`)}\n${snatAll}`);
      assert.deepEqual(lab.newConnections(assertByMain), []);
    });

  test("a mark of no service serves the admin's own policy rules", (t) => {
    lab.director(`
      ip route add default via 203.0.113.1 table 900; ip rule add pref 900 fwmark 0x20 lookup 900
      ip -6 route add default via 2001:db8:2::1 table 900; ip -6 rule add pref 900 fwmark 0x20 lookup 900
      ${setMarks['every packet']!.replaceAll('--set-mark 1', '--set-mark 0x20')}\n${snatAll}`);
    t.after(() =>
      lab.director(`ip rule del pref 900; ip route flush table 900
        ip -6 rule del pref 900; ip -6 route flush table 900`),
    );
    for (const family of families) {
      assert.deepEqual(lab.connect(family, { count: 40 }), { [seen[family].isp2]: 40 });
      assert.deepEqual(lab.udp(family, { count: 40, sockets: 8 }), { [seen[family].isp2]: 40 });
    }
  });

  test('a service of the other family only does not take the mark', () => {
    lab.lvsj('ipvsadm -D -f 1 -6');
    lab.director(`${markNew}\n${snatAll}`);
    assert.deepEqual(lab.connect(6, { count: 40 }), byMain(6));
    assert.deepEqual(lab.connect(4, { count: 40 }), shared(4));
  });

  test('what the main table leads to without its default route is not shared out', (t) => {
    const branch = { 4: '10.9.0.1', 6: '2001:db8:9::1' };
    lab.script(
      'isp3',
      `ip addr add 10.9.0.1/32 dev lo; ip addr add 2001:db8:9::1/128 dev lo
      ip rule del pref 20; ip -6 rule del pref 20
      nft flush table inet watch
      ip route replace 10.0.0.0/24 via 100.64.3.2; ip route replace 2001:db8:10::/64 via 2001:db8:3::2`,
    );
    lab.director(`ip route add 10.9.0.0/16 via 100.64.3.1
      ip route add 2001:db8:9::/48 via 2001:db8:3::1
      ${setMarks['every packet']}`);
    t.after(() => lab.director('ip route del 10.9.0.0/16; ip -6 route del 2001:db8:9::/48'));
    const inside = () => {
      for (const to of [branch[4], branch[6], '100.64.3.1', '2001:db8:3::1']) ping('lan', to);
    };
    assert.deepEqual(lab.newConnections(inside), []);
    // While the internet is, with the very same marks.
    lab.director(snatAll);
    assert.deepEqual(lab.connect(4, { count: 40 }), shared(4));
  });

  test("the director's own connections go by the main table, marked or not", () => {
    lab.director(`iptables -t mangle -A OUTPUT -j MARK --set-mark 1
      ip6tables -t mangle -A OUTPUT -j MARK --set-mark 1`);
    const own = () => {
      for (const family of families) ping('director', serverAddress[family]);
    };
    assert.deepEqual(lab.newConnections(own), []);
  });

  test('gateway bits in another place of the mark leave the rest to services', (t) => {
    lab.director('lvsj stop; lvsj start --mark-mask 0x00ff0000');
    t.after(() => lab.director('lvsj stop'));
    lab.restore(recipeTable.replaceAll('-f 1', `-f ${0x5000001}`));
    lab.director(`${markNew.replaceAll('--set-mark 1', '--set-mark 0x5000001')}\n${snatAll}`);
    assertShared();
  });
});
