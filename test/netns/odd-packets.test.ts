// What is not a plain TCP or UDP packet to somewhere on the internet. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { internet } from '../../src/lab/topology.ts';
import type { Family } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import {
  DirectorLab,
  families,
  gatewayOf,
  markAll,
  seen,
  serverAddress,
  snatAll,
} from './director-lab.ts';

const lab = new DirectorLab('odd');

/** In turns: the gateway that was added last comes first. */
const inTurns = `
  -A -f 1 -s rr
  -a -f 1 -r 192.0.2.1 -j
  -a -f 1 -r 203.0.113.1 -j
  -A -f 1 -6 -s rr
  -a -f 1 -6 -r [2001:db8:1::1]:0 -j
  -a -f 1 -6 -r [2001:db8:2::1]:0 -j`;

const onlyIsp2 = inTurns.replaceAll(/.*:1::1.*\n|.*192\.0\.2\.1.*\n/g, '');

/** How many entries lead to each gateway. */
function byGateway(connections: string[], family: Family): Record<string, number> {
  const counts = { isp1: 0, isp2: 0 };
  for (const isp of ['isp1', 'isp2'] as const) {
    const end = family === 4 ? ` ${gatewayOf[4][isp]}:` : ` [${gatewayOf[6][isp]}]:`;
    counts[isp] = connections.filter((line) => line.includes(end)).length;
  }
  return counts;
}

const ping = (to: string, ...options: string[]) =>
  lab.run('lan', ['ping', '-c', '1', '-W', '2', ...options, to]);

/** Sends a datagram without ports: perl is part of every Debian. */
function sendRaw(family: Family, protocol: number, to: string): void {
  const script = `use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 AF_INET6);
    socket(my $socket, ${family === 4 ? 'PF_INET' : 'AF_INET6'}, SOCK_RAW, ${protocol}) or die $!;
    my $to = ${family === 4 ? `pack_sockaddr_in(0, inet_aton('${to}'))` : `pack_sockaddr_in6(0, inet_pton(AF_INET6, '${to}'))`};
    send($socket, pack('nnN', 0, 0x0800, 0), 0, $to) or die $!;`;
  lab.run('lan', ['perl', '-e', script]);
}

/** Sends a datagram that may go to many. */
function sendToMany(family: Family, to: string): void {
  const script = `const socket = require('node:dgram').createSocket('udp${family}');
    socket.bind(0, () => {
      socket.setBroadcast(true);
      socket.setMulticastInterface('${family === 4 ? '10.0.0.11' : '::%eth0'}');
      socket.setMulticastTTL(8);
      socket.send('lvsj', 7, '${to}', (error) => {
        if (error) throw error;
        socket.close();
      });
    });`;
  lab.run('lan', [process.execPath, '-e', script]);
}

/** Addresses of the hops, without times. */
const traceroute = (to: string, ...options: string[]) =>
  lab
    .run('lan', ['traceroute', '-n', '-q', '1', '-w', '2', ...options, to])
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().split(/\s+/)[1]);

describe('the director', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director(`${markAll}\n${snatAll}`);
  });
  after(() => lab.down());
  beforeEach(() => lab.restore(inTurns));
  afterEach(() => lab.assertNoStrays());

  test('makes no entry for a packet whose life ends here', () => {
    const hops: unknown[] = [];
    const entries = lab.newConnections(() => {
      for (const family of families)
        for (const method of ['-U', '-I', '-T'])
          hops.push(...traceroute(serverAddress[family], method, '-m', '1'));
    });
    assert.deepEqual(entries, []);
    assert.deepEqual([...new Set(hops)], ['10.0.0.1', '2001:db8:10::1']);
  });

  test('shows a traceroute the way of the gateway', () => {
    lab.restore(onlyIsp2);
    for (const method of ['-U', '-I', '-T']) {
      assert.deepEqual(traceroute(serverAddress[4], method), [
        '10.0.0.1',
        gatewayOf[4].isp2,
        serverAddress[4],
      ]);
      assert.deepEqual(traceroute(serverAddress[6], method), [
        '2001:db8:10::1',
        gatewayOf[6].isp2,
        serverAddress[6],
      ]);
    }
  });

  test('shares pings out, and every one is answered', () => {
    for (const family of families) {
      const entries = lab.newConnections(() => {
        for (let i = 0; i < 8; i++) ping(serverAddress[family]);
      });
      assert.deepEqual(byGateway(entries, family), { isp1: 4, isp2: 4 });
    }
  });

  test('sends all fragments of a packet by one link', () => {
    for (const family of families) {
      const entries = lab.newConnections(() => {
        for (let i = 0; i < 4; i++) ping(serverAddress[family], '-s', '4000');
        const addresses = [0, 1, 2, 3].map((i) => lab.udpFrom(family, 6000 + i, 9000));
        assert.deepEqual(
          addresses.sort(),
          [seen[family].isp1, seen[family].isp1, seen[family].isp2, seen[family].isp2].sort(),
        );
      });
      assert.deepEqual(byGateway(entries, family), { isp1: 4, isp2: 4 });
    }
  });

  test('takes "fragmentation needed" of an ISP back to its connection', (t) => {
    lab.restore(onlyIsp2);
    lab.script('isp2', 'ip link set eth1 mtu 1300');
    t.after(() => lab.script('isp2', 'ip link set eth1 mtu 1500'));
    for (const family of families) {
      const argv = ['ping', '-c', '1', '-W', '2', '-M', 'do', '-s', '1400', serverAddress[family]];
      assert.match(lab.tryRun('lan', argv).stdout, /mtu ?= ?1300/);
    }
  });

  for (const [name, protocol] of [
    ['GRE', 47],
    ['an unknown protocol', 253],
  ] as const)
    test(`shares ${name} out by addresses`, async () => {
      const rule = (family: Family, address: string) =>
        `ip${family === 4 ? '' : '6'} saddr ${address} meta l4proto ${protocol} counter`;
      for (const isp of ['isp1', 'isp2'] as const)
        lab.script(
          isp,
          `nft add table inet raw
          nft add chain inet raw c '{ type filter hook prerouting priority raw; }'
          ${families.map((f) => `nft add rule inet raw c ${rule(f, seen[f][isp])}`).join('\n')}`,
        );
      const entries = lab.newConnections(() => {
        for (const family of families)
          for (const to of internet[family === 4 ? 'ipv4' : 'ipv6'])
            for (let i = 0; i < 3; i++) sendRaw(family, protocol, to);
      });
      for (const isp of ['isp1', 'isp2']) {
        const counters = () => lab.script(isp, 'nft list table inet raw').match(/packets 3 /g);
        await waitUntil(`three packets of each family at ${isp}`, () => counters()?.length === 2);
        lab.script(isp, 'nft delete table inet raw');
      }
      for (const family of families)
        assert.deepEqual(byGateway(entries, family), { isp1: 1, isp2: 1 });
    });

  test('leaves multicast and broadcast alone', () => {
    const entries = lab.newConnections(() => {
      for (const to of ['255.255.255.255', '10.0.0.255', '224.0.0.251', '239.1.2.3'])
        sendToMany(4, to);
      for (const to of ['ff02::fb', 'ff05::2', 'ff0e::1234']) sendToMany(6, to);
    });
    assert.deepEqual(entries, []);
  });

  test("leaves packets to the director's own addresses alone", () => {
    const own = ['10.0.0.1', seen[4].isp1, seen[4].isp2, '2001:db8:10::1', seen[6].isp2];
    const entries = lab.newConnections(() => {
      for (const to of own) ping(to);
    });
    assert.deepEqual(entries, []);
  });
});
