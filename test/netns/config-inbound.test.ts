// Connections from outside: answers leave by the link that the connection came in by. Needs root.
//
//   lan, with a server ── eth0 director eth1 ── isp1 ── internet, whose host is the client here
//                                       eth2 ── isp2 ──┘
//
// Elsewhere they leave by the default route, and the sender's provider drops them: openwrt/packages
// 15579, 21393, 13909, 14266 (hairpin); UniFi even where the second line is only a spare.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { serverProgram } from '../../src/lab/lab.ts';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { families, type Running, seen, serverAddress } from './director-lab.ts';

const lab = new ConfigLab('inbound');
const server = { 4: '10.0.0.11', 6: '2001:db8:10::11' } as const;
const urlOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** The admin's port forwards, on the router's public addresses: TCP 8080, UDP 7007. And hairpin NAT. */
const portForwards = `table inet admin {
  chain prerouting {
    type nat hook prerouting priority dstnat
    fib daddr type local meta nfproto ipv4 tcp dport 8080 dnat ip to ${server[4]}:80
    fib daddr type local meta nfproto ipv6 tcp dport 8080 dnat ip6 to [${server[6]}]:80
    fib daddr type local meta nfproto ipv4 udp dport 7007 dnat ip to ${server[4]}:7
    fib daddr type local meta nfproto ipv6 udp dport 7007 dnat ip6 to [${server[6]}]:7
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    iifname eth0 oifname eth0 ct status dnat masquerade
  }
}`;

/** The second line as a spare: no service has it, and nothing of the LAN goes there. */
const spare = everything.replace(', lte: 1', '');

/** What the LAN's and the router's servers see of the internet host, by both lines and families. */
function assertAnswered(port: number): void {
  for (const family of families)
    for (const to of Object.values(seen[family])) {
      const from = [serverAddress[family]];
      const options = { host: 'internet', to: `${urlOf(to)}:${port}`, from, count: 8 };
      assert.deepEqual(lab.connect(family, options), { [serverAddress[family]]: 8 }, to);
    }
}

function assertEchoed(port: number): void {
  for (const family of families)
    for (const to of Object.values(seen[family])) {
      const from = [serverAddress[family]];
      const options = { host: 'internet', to, port, from, count: 8, sockets: 2 };
      assert.deepEqual(lab.udp(family, options), { [serverAddress[family]]: 8 }, to);
    }
}

describe('connections from outside', { timeout: 60_000 }, () => {
  const servers: Running<string>[] = [];
  before(async () => {
    await lab.up();
    lab.run('director', ['nft', '-f', '-'], portForwards);
    for (const host of ['lan', 'director']) servers.push(lab.start(host, [...serverProgram, '80']));
    await Promise.all(servers.map(({ started }) => started));
  });
  afterEach(() => lab.assertNoStrays());
  after(() => lab.down());

  for (const [what, rules] of Object.entries({
    'both lines are shared': everything,
    'one line is a spare': spare,
  }))
    describe(what, () => {
      before(() => lab.apply(gateways + rules));

      test('port forwards are answered by the line that was asked', () => {
        assertAnswered(8080);
        assertEchoed(7007);
      });

      test('the router itself answers by the line that was asked', () => {
        assertAnswered(80);
        assertEchoed(7);
      });

      test('pings of each public address are answered', () => {
        for (const family of families)
          for (const to of Object.values(seen[family]))
            lab.run('internet', [
              'ping',
              '-c',
              '3',
              '-i',
              '0.01',
              '-W',
              '2',
              '-I',
              serverAddress[family],
              to,
            ]);
      });

      test('the LAN reaches its own server by each public address (hairpin)', () => {
        for (const family of families)
          for (const to of Object.values(seen[family])) {
            const options = {
              to: `${urlOf(to)}:8080`,
              from: lab.clients(family).slice(1, 5),
              count: 8,
            };
            assert.deepEqual(lab.connect(family, options), { [lab.router(family)]: 8 }, to);
          }
      });
    });
});
