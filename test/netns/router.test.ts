// The router's own connections: shared out by a service, or as ever by the main table; and those that
// are bound to a link or an address. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import { families, gatewayOf, seen, serverAddress } from './director-lab.ts';
import { OwnLab, own } from './own-lab.ts';

const lab = new OwnLab('router');

const shared = (family: 4 | 6, count: number) => ({
  [seen[family].isp1]: (count * 3) / 4,
  [seen[family].isp2]: count / 4,
});

/** Both families' connections and datagrams go by the main table. */
function assertByMain(): void {
  for (const family of families) {
    assert.deepEqual(lab.ownConnect(family, 8), { [seen[family].isp1]: 8 });
    assert.deepEqual(lab.ownUdp(family, 10), { [seen[family].isp1]: 10 });
  }
}

/** Whatever a test leaves goes. */
function forget(): void {
  try {
    lab.assertNoStrays();
  } finally {
    lab.tryLvsj('stop');
    lab.clearAdmin();
    lab.run('director', ['conntrack', '-F']);
    lab.resetStrays();
  }
}

describe("the router's own connections, shared out by a service", { timeout: 240_000 }, () => {
  before(() => lab.up());
  after(() => lab.down());
  beforeEach(() => {
    lab.apply('web');
  });
  afterEach(forget);

  for (const family of families) {
    test(`TCP by weight, each with its link's address: IPv${family}`, () => {
      assert.deepEqual(lab.ownConnect(family, 200), shared(family, 200));
      for (const entry of lab.connections()) assert.ok(entry.includes(own[family]), entry);
    });

    test(`datagrams, each socket's by one gateway: IPv${family}`, () => {
      assert.deepEqual(lab.ownUdp(family, 40), shared(family, 40));
    });

    test(`questions of sockets that are bound to nothing: IPv${family}`, () => {
      const answers = Array.from({ length: 4 }, () => lab.ask(family)).sort();
      const [isp1, isp2] = [seen[family].isp1, seen[family].isp2];
      assert.deepEqual(answers, [isp1, isp1, isp1, isp2].sort());
    });

    test(`echo requests: IPv${family}`, () => {
      const made = lab.newConnections(() => {
        for (let i = 0; i < 4; i++) lab.ping('director', serverAddress[family]);
      });
      assert.equal(made.length, 4);
      assert.equal(made.filter((entry) => entry.includes(gatewayOf[family].isp2)).length, 1);
    });

    test(`have one conntrack entry each: IPv${family}`, () => {
      lab.run('director', ['conntrack', '-F']);
      lab.ownConnect(family, 20);
      const listing = lab.run('director', ['conntrack', '-L', '-f', `ipv${family}`, '-p', 'tcp']);
      const lines = listing.trim().split('\n');
      for (const line of lines) assert.ok(line.includes(`src=${own[family]} `), line);
      const ports = lines.map((line) => /sport=(\d+)/.exec(line)?.[1]);
      assert.deepEqual(ports, [...new Set(ports)]);
    });

    test(`are established while they last, and active: IPv${family}`, async () => {
      const running = lab.ownDownload(family, 100_000_000, 100_000);
      await running.started;
      const [, states = ''] = lab.lvsj('ipvsadm -Lnc').split('destination\n');
      running.kill();
      assert.match(states, /^TCP 1[45]:\d\d +ESTABLISHED [^\n]*\n$/);
    });

    test(`stay on their gateway while weights change: IPv${family}`, async () => {
      const [service, { isp1, isp2 }] = [family === 6 ? '-f 1 -6' : '-f 1', gatewayOf[family]];
      const weigh = (isp: string, weight: number) =>
        lab.lvsj(`ipvsadm -e ${service} -r ${isp} -j -w ${weight}`);
      weigh(isp2, 0);
      const running = lab.ownDownload(family, 300_000, 150_000);
      await running.started;
      weigh(isp1, 0);
      weigh(isp2, 9);
      // What a configuration added stays, too.
      assert.deepEqual(lab.ownConnect(family, 8), { [seen[family].isp2]: 8 });
      const { ok, bytes, address } = await running.result;
      assert.deepEqual(
        { ok, bytes, address },
        { ok: true, bytes: 300_000, address: seen[family].isp1 },
      );
    });

    test(`go by the main table where no gateway can be chosen: IPv${family}`, () => {
      const [service, { isp1, isp2 }] = [family === 6 ? '-f 1 -6' : '-f 1', gatewayOf[family]];
      for (const isp of [isp1, isp2]) lab.lvsj(`ipvsadm -e ${service} -r ${isp} -j -w 0`);
      assert.deepEqual(lab.ownConnect(family, 8), { [seen[family].isp1]: 8 });
    });
  }

  test('have the service whose mark they get on output', () => {
    lab.director('iptables -t mangle -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 2');
    assert.deepEqual(lab.ownConnect(4, 8), { [seen[4].isp2]: 8 });
    assert.deepEqual(lab.ownUdp(4, 40), shared(4, 40));
  });

  for (const [check, value] of [
    ['strict', 1],
    ['loose', 2],
  ] as const)
    test(`pass ${check} reverse-path checks of all links`, (t) => {
      lab.lvsj('stop');
      lab.director(`sysctl -qw net.ipv4.conf.all.rp_filter=${value}`);
      t.after(() => lab.director('sysctl -qw net.ipv4.conf.all.rp_filter=0'));
      lab.apply('web');
      assert.deepEqual(lab.ownConnect(4, 8), shared(4, 8));
    });

  test('to internal addresses are not shared out, and the LAN is as ever', () => {
    const inside = () => {
      for (const to of [...lab.clients(4).slice(0, 2), lab.clients(6)[0] as string, '192.0.2.1'])
        lab.ping('director', to);
      for (const to of Object.values(own)) lab.ping('lan', to);
    };
    assert.deepEqual(lab.newConnections(inside), []);
    for (const family of families)
      assert.deepEqual(lab.connect(family, { count: 40 }), shared(family, 40));
  });

  test('go by the main table again when it is switched off', () => {
    lab.apply('main');
    assert.deepEqual(lab.newConnections(assertByMain), []);
    assert.doesNotMatch(lab.director('ip rule; ip route show table all'), /20255|192\.0\.0\.8/);
  });

  test('leave no trace after lvsj stop', () => {
    lab.lvsj('stop');
    const before = namespaceState(lab.name, 'director');
    lab.apply('web');
    lab.ownConnect(4, 4);
    lab.lvsj('stop');
    const left = diffNamespaceStates(before, namespaceState(lab.name, 'director'));
    assert.deepEqual(left.slice(0, 12), []);
  });
});

describe('what the router sends from a link or an address of a gateway', {
  timeout: 120_000,
}, () => {
  before(() => lab.up());
  after(() => lab.down());
  afterEach(forget);

  for (const [how, router] of [
    ['while the rest is shared out', 'web'],
    ['while the rest goes by the main table', 'main'],
  ] as const)
    describe(how, () => {
      beforeEach(() => {
        lab.apply(router);
      });

      for (const family of families) {
        test(`leaves by that gateway: IPv${family}`, () => {
          const { isp1, isp2 } = seen[family];
          const made = lab.newConnections(() => {
            for (const address of [isp1, isp2]) {
              assert.deepEqual(lab.ownConnect(family, 8, [address]), { [address]: 8 });
              assert.deepEqual(lab.ownUdp(family, 10, [address]), { [address]: 10 });
            }
            for (const link of ['eth1', 'eth2'])
              lab.ping('director', serverAddress[family], ['-I', link]);
          });
          assert.deepEqual(made, []);
        });

        test(`answers by the link that was asked: IPv${family}`, () => {
          for (const to of Object.values(seen[family]))
            lab.ping('internet', to, ['-I', serverAddress[family]]);
        });
      }
    });

  test('is all that changes where the configuration names no service for the router', () => {
    lab.apply('main');
    assert.deepEqual(lab.newConnections(assertByMain), []);
  });

  test('an internal address is reached by its own link, whatever the source', () => {
    lab.apply('web');
    assert.match(lab.route(`${lab.clients(4)[0]} from ${seen[4].isp2}`), / dev eth0 /);
  });
});
