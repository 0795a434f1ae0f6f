// Debian's ldirectord drives the director: contrib/ldirectord as docs/ldirectord.md says. Needs root.

import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { waitUntil } from '../../src/util/wait-until.ts';
import {
  DirectorLab,
  gatewayOf,
  lvsjProgram,
  type Running,
  seen,
  snatAll,
} from './director-lab.ts';

const lab = new DirectorLab('ldirectord');
const root = dirname(lvsjProgram);
const folder = `${root}/contrib/ldirectord`;

/** Service 1: pings, removes. Service 2: connects, drains; it has the first client, as udpFrom has. */
const [drained, removed] = lab.clients(4) as [string, string];
const mark = `
  iptables -t mangle -A PREROUTING -s ${removed} -m state --state NEW -j MARK --set-mark 1
  iptables -t mangle -A PREROUTING -s ${drained} -m state --state NEW -j MARK --set-mark 2`;

/**
 * Its ipvsadm is our wrapper and its configuration ours in the mount namespace that ip netns exec
 * makes, and nowhere else on the machine. Supervised, it stays in the foreground.
 */
const startLdirectord = (): Running<string> =>
  lab.start('director', [
    'sh',
    '-ec',
    `PATH=${root}:$PATH:/usr/sbin:/sbin
    mount --bind ${folder}/ipvsadm /usr/sbin/ipvsadm
    mount -t tmpfs ldirectord /etc/ha.d
    { echo supervised = yes; cat ${folder}/ldirectord.cf; } > /etc/ha.d/lvsj.cf
    exec ldirectord lvsj.cf start 2>&1`,
  ]);

/** The port that service 2 tries: the DNS of the gateway itself. */
const startDns = (host: 'isp1' | 'isp2'): Running<string> => {
  const listen = `listen(53, '${gatewayOf[4][host]}', () => console.log('ready'))`;
  const script = `require('node:net').createServer((socket) => socket.end()).${listen}`;
  return lab.start(host, [process.execPath, '-e', script]);
};

const ignorePings = (host: string, yes: 0 | 1): string =>
  lab.run(host, ['sysctl', '-qw', `net.ipv4.icmp_echo_ignore_all=${yes}`]);

/** The gateways of a service, with their weights. */
function gateways(fwmark: 1 | 2): string[] {
  const line = new RegExp(`^-a -f ${fwmark} -r (\\S+):0 -j (-w \\d+)$`, 'gm');
  const found = lab.lvsj('ipvsadm -Sn').matchAll(line);
  return [...found].map(([, address, weight]) => `${address} ${weight}`);
}

const isp1 = (weight: number): string => `${gatewayOf[4].isp1} -w ${weight}`;
const isp2 = `${gatewayOf[4].isp2} -w 1`;
const all = [isp1(3), isp2];

const become = (fwmark: 1 | 2, want: string[]): Promise<void> =>
  waitUntil(
    `service ${fwmark} with ${want.join(' and ')}`,
    () => gateways(fwmark).join() === want.join(),
    15_000,
  );

/** Addresses that the server saw of eight new connections. */
const connect = (client: string) => lab.connect(4, { from: [client], count: 8 });
const shared = { [seen[4].isp1]: 6, [seen[4].isp2]: 2 };
const avoided = { [seen[4].isp2]: 8 };

describe('ldirectord', { timeout: 120_000 }, () => {
  let dns: Running<string>;
  let ldirectord: Running<string>;

  before(async () => {
    await lab.up();
    lab.director(`${mark}\n${snatAll}`);
    dns = startDns('isp1');
    await Promise.all([dns.started, startDns('isp2').started]);
    ldirectord = startLdirectord();
    await become(1, all);
    await become(2, all);
  });
  // Takes ldirectord with it, whatever failed.
  after(() => lab.down());
  afterEach(() => lab.assertNoStrays());

  test('shares the connections of both services out', () => {
    assert.deepEqual([connect(removed), connect(drained)], [shared, shared]);
  });

  test('removes a gateway that answers no pings, until it does again', async () => {
    ignorePings('isp1', 1);
    await become(1, [isp2]);
    assert.deepEqual(connect(removed), avoided);
    assert.deepEqual(gateways(2), all);
    ignorePings('isp1', 0);
    await become(1, all);
    assert.deepEqual(connect(removed), shared);
  });

  test('drains a gateway whose port is closed, until it is open again', async () => {
    const ports = [5001, 5002, 5003, 5004];
    const before = ports.map((port) => lab.udpFrom(4, port));
    dns.kill();
    await become(2, [isp1(0), isp2]);
    assert.deepEqual(connect(drained), avoided);
    // Connections that were there go on, on three of four the first gateway.
    const kept = ports.map((port) => lab.udpFrom(4, port));
    assert.deepEqual(kept, before);
    assert.equal(kept.filter((address) => address === seen[4].isp1).length, 3);
    assert.deepEqual(gateways(1), all);
    dns = startDns('isp1');
    await become(2, all);
    assert.deepEqual(connect(drained), shared);
  });

  test('leaves the services as they are when it ends', async () => {
    ldirectord.kill();
    assert.match(await ldirectord.result, /terminated on signal: TERM/);
    assert.deepEqual([gateways(1), gateways(2)], [all, all]);
  });
});
