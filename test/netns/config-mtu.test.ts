// Lines that carry less than the LAN sends: segments fit, even where nobody says that they don't. Needs root.
//
//   lan (mtu 1500) ── eth0 director eth1 ── isp1            ── internet
//                                   ppp2 ── isp2 (mtu 1492) ──┘   says no "too big" to anybody
//
// Elsewhere the router's own connections are not clamped (openwrt 12112), or IPv6 is not, or only what
// comes from the LAN is (opnsense/core 9398, 4484).

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ConfigLab } from './config-lab.ts';
import { families, seen, urlHost } from './director-lab.ts';

const lab = new ConfigLab('mtu', 2, { ppp: [2] });

const config = (mtu = '', router = ''): string => `${router}
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  dsl: { link: ppp2, via: onlink${mtu} }
services:
  dsl: { fwmark: 2, gateways: { dsl: 1 } }
  fiber: { fwmark: 1, gateways: { fiber: 1 } }
rules:
  - { dport: 8080, service: fiber }
  - { service: dsl }`;

/** isp2 tells nobody that a packet was too big. */
const silence = `table inet hole {
  chain output {
    type filter hook output priority 0
    icmp type destination-unreachable drop
    icmpv6 type packet-too-big drop
  }
}`;

/** Counts SYNs and SYN-ACKs, and those that say that more fits than these bytes. */
const watch = (name: string, hook: string, { v4, v6 }: { v4: number; v6: number }): string => `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  counter syns { }
  counter larger { }
  chain watch {
    type filter hook ${hook} priority 300
    iifname != eth0 return
    tcp dport 8080 return
    tcp sport 8080 return
    tcp flags & (syn | rst) == syn counter name syns
    meta nfproto ipv4 tcp option maxseg size > ${v4} counter name larger
    meta nfproto ipv6 tcp option maxseg size > ${v6} counter name larger
  }
}`;

const startWatch = (fits: { v4: number; v6: number }): void => {
  lab.run('isp2', ['nft', '-f', '-'], watch('syns', 'prerouting', fits));
  lab.run('lan', ['nft', '-f', '-'], watch('syns', 'input', fits));
};

/** Of the SYNs at isp2 and of the SYN-ACKs at the LAN. */
function assertFit(hosts = ['isp2', 'lan']): void {
  for (const host of hosts) {
    const count = (name: string): number => {
      const listing = lab.run(host, ['nft', 'list', 'counter', 'inet', 'syns', name]);
      return Number(/packets (\d+)/.exec(listing)?.[1]);
    };
    assert.ok(count('syns') > 0);
    assert.equal(count('larger'), 0, host);
  }
}

async function assertDownloads(): Promise<void> {
  for (const family of families) {
    const { ok, address, error = '' } = await lab.download(family, 300_000, 1e9).result;
    assert.deepEqual({ ok, address, error }, { ok: true, address: seen[family].isp2, error: '' });
  }
}

describe('lines that carry less', { timeout: 60_000 }, () => {
  before(async () => {
    await lab.up();
    lab.run('isp2', ['nft', '-f', '-'], silence);
  });
  beforeEach(() => {
    // What the server remembers of a path would hide the next fault.
    lab.script('internet', 'ip -4 route flush cache; ip -6 route flush cache');
  });
  after(() => lab.down());

  test('a link with a small MTU: what comes and goes by it fits', async () => {
    lab.apply(config());
    startWatch({ v4: 1452, v6: 1432 });
    await assertDownloads();
    assertFit();
  });

  test('a line that carries less than its link, as the file says', async () => {
    lab.script('isp2', 'ip link set eth1 mtu 1400');
    lab.script('internet', 'ip link set eth2 mtu 1400');
    lab.apply(config(', mtu: 1400'));
    startWatch({ v4: 1360, v6: 1340 });
    await assertDownloads();
    assertFit();
  });

  test("the router's own connections, which it would send by a larger line, fit too", () => {
    lab.apply(config('', 'router: dsl'));
    startWatch({ v4: 1452, v6: 1432 });
    for (const family of families) {
      const url = `http://${urlHost[family]}/`;
      const curl = (...words: string[]) => lab.run('director', ['curl', '-s', '-m', '5', ...words]);
      assert.equal(curl(url).trim(), seen[family].isp2);
      const size = ['-o', '/dev/null', '-w', '%{size_download}', `${url}bytes?n=300000`];
      assert.equal(curl(...size), '300000');
    }
    assertFit(['isp2']);
  });

  test('other lines are left alone', () => {
    const whole = watch('whole', 'prerouting', { v4: 1459, v6: 1439 }).replaceAll(
      /tcp .port 8080 return/g,
      '',
    );
    lab.run('isp1', ['nft', '-f', '-'], whole);
    for (const family of families) {
      const found = lab.connect(family, { to: `${urlHost[family]}:8080`, count: 2 });
      assert.deepEqual(found, { [seen[family].isp1]: 2 });
    }
    const counters = lab.run('isp1', ['nft', 'list', 'counters', 'table', 'inet', 'whole']);
    assert.match(counters, /larger \{\s+packets 4 /);
  });
});
