// Marks of others are theirs: nothing captures them, nothing changes them. Needs root.
//
//   lan ── eth0 director eth1,eth2 ── isp1, isp2 ── internet
//
// Elsewhere: Tailscale's 0x80000/0xff0000 (tailscale 591, 18443, 19796; cilium 36104), Kubernetes' 0x4000.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { families, seen, serverAddress, urlHost } from './director-lab.ts';

const lab = new ConfigLab('marks');
const [, theirs] = lab.clients(4) as [string, string];
const [, theirs6] = lab.clients(6) as [string, string];

/**
 * Somebody with marks, rules and a table of its own, as Tailscale has: one LAN client's packets and
 * marked ones of the router go by isp2. It counts what leaves with its mark whole.
 */
const foreign = `
  nft -f - <<END
  table inet foreign {
    counter whole { }
    chain prerouting {
      type filter hook prerouting priority mangle
      ip saddr ${theirs} meta mark set 0x80000
      ip6 saddr ${theirs6} meta mark set 0x80000
    }
    chain postrouting {
      type nat hook postrouting priority srcnat
      meta mark & 0xff0000 == 0x80000 oifname eth2 masquerade
    }
    chain counted {
      type filter hook postrouting priority 300
      meta mark 0x80000 oifname eth2 counter name whole
    }
  }
END
  for family in -4 -6; do ip $family rule add pref 5210 fwmark 0x80000/0xff0000 lookup 52; done
  ip -4 route add default via 203.0.113.1 table 52
  ip -6 route add default via 2001:db8:2::1 table 52`;

/** kube-proxy marks in its nat chain, after everything that balances, and masquerades by that mark. */
const kube = `
  nft -f - <<END
  table inet kube {
    counter masqueraded { }
    chain prerouting {
      type nat hook prerouting priority dstnat
      meta l4proto tcp th dport 8080 meta mark set meta mark | 0x4000
    }
    chain postrouting {
      type nat hook postrouting priority srcnat
      meta mark & 0x4000 == 0x4000 counter name masqueraded masquerade
    }
  }
END`;

const packetsOf = (table: string): number =>
  Number(/packets (\d+)/.exec(lab.director(`nft list counters table inet ${table}`))?.[1]);

const client = { 4: theirs, 6: theirs6 } as const;

describe('marks of others', { timeout: 60_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director(foreign + kube);
    lab.apply(gateways + everything);
  });
  afterEach(() => lab.assertNoStrays());
  after(() => lab.down());

  test('packets of the LAN with a mark of somebody else take his way, mark and all', () => {
    for (const family of families) {
      const before = packetsOf('foreign');
      const had = lab.connections().length;
      const found = lab.connect(family, { count: 6, from: [client[family]] });
      assert.deepEqual(found, { [seen[family].isp2]: 6 });
      assert.equal(lab.connections().length, had, 'none was scheduled');
      assert.ok(packetsOf('foreign') >= before + 6 * 4, 'each packet left with the mark');
    }
  });

  test("the router's own packets with such a mark do, too", () => {
    for (const family of families) {
      const before = packetsOf('foreign');
      const ping = ['ping', '-m', String(0x80000), '-c', '3', '-i', '0.01', serverAddress[family]];
      lab.run('director', ping);
      assert.equal(packetsOf('foreign'), before + 3);
    }
  });

  test('who has no mark is shared out beside them', () => {
    for (const family of families) {
      const [from] = lab.clients(family) as [string];
      const found = lab.connect(family, { count: 6, from: [from] });
      assert.deepEqual(found, { [seen[family].isp1]: 3, [seen[family].isp2]: 3 });
    }
  });

  test('a packet to whose mark somebody adds a bit is his, and goes by the main table', () => {
    for (const family of families) {
      const before = packetsOf('kube');
      const [from] = lab.clients(family) as [string];
      const to = `${urlHost[family]}:8080`;
      assert.deepEqual(lab.connect(family, { count: 6, to, from: [from] }), {
        [seen[family].isp1]: 6,
      });
      assert.equal(packetsOf('kube'), before + 6, 'its masquerade rule saw its mark');
    }
  });

  test("the admin's bits of a conntrack mark stay beside the gateway's", () => {
    lab.director(`nft add table inet admin
      nft 'add chain inet admin forward { type filter hook forward priority 0; }'
      nft add rule inet admin forward ct state new ct mark set ct mark or 0x1234`);
    const running = lab.download(4, 100_000, 100_000);
    return running.started.then(async () => {
      const marks = [...lab.director('conntrack -L 2>/dev/null').matchAll(/mark=(\d+)/g)].map(
        ([, mark]) => Number(mark),
      );
      assert.ok(
        marks.some((mark) => (mark & 0xffffff) === 0x1234 && mark >>> 24 !== 0),
        String(marks),
      );
      assert.equal((await running.result).ok, true);
    });
  });
});
