// Rules by name: a set whose addresses DNS gives, in a lab whose internet host answers for the names.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { internet } from '../../src/lab/topology.ts';
import { ConfigLab, gateways } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { seen } from './director-lab.ts';

const lab = new ConfigLab('dns');
const daemon = new Daemon(lab);
/** ip netns exec puts what is here in the place of /etc. */
const etc = `/etc/netns/lvsj-${lab.name}-director`;

const config = `${gateways}
services:
  even: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1 } }
  lte: { fwmark: 2, scheduler: rr, gateways: { lte: 1 } }
sets:
  video: { domains: [video.example] }
rules:
  - { to: "@video", service: lte }
  - { service: even }`;

/** Answers for video.example with the internet host's own addresses. */
function startDns(): void {
  const records = [...internet.ipv4.slice(0, 1), ...internet.ipv6.slice(0, 1)];
  lab.run('internet', [
    ...['dnsmasq', '--no-hosts', '--no-resolv', `--pid-file=${lab.folder}/dns.pid`],
    ...['--user=root', '--local-ttl=60', '--listen-address=198.51.100.53', '--bind-interfaces'],
    ...records.map((address) => `--host-record=video.example,${address}`),
  ]);
}

const elements = (): string => lab.director('nft list set inet lvsj dns_video_4');

before(async () => {
  mkdirSync(etc, { recursive: true });
  writeFileSync(`${etc}/resolv.conf`, 'nameserver 198.51.100.53\n');
  await lab.up();
  startDns();
  await daemon.start(config);
});

after(async () => {
  await daemon.end();
  await lab.down();
  rmSync(etc, { recursive: true });
});

test('a rule by name leads to its service once DNS has told the addresses', async () => {
  await daemon.until('the address in the set', () => elements().includes(internet.ipv4[0]));
  assert.deepEqual(lab.connect(4, { count: 6 }), { [seen[4].isp2]: 6 });
  assert.deepEqual(lab.connect(6, { count: 6 }), { [seen[6].isp2]: 6 });
});

test('the addresses stay while other rules change, for as long as DNS said', async () => {
  await daemon.edit(config.replace('rules:', 'rules:\n  - { to: 10.99.0.0/16, service: even }'));
  assert.match(elements(), /198\.51\.100\.10 timeout [0-9ms]+ expires [0-9ms]+/);
  assert.deepEqual(lab.connect(4, { count: 6 }), { [seen[4].isp2]: 6 });
});

test('a name that no rule asks for any more is no set', async () => {
  await daemon.edit(config.replace('"@video"', '198.51.100.99').replace(/sets:\n.*\n/, ''));
  assert.doesNotMatch(lab.director('nft list table inet lvsj'), /dns_video/);
  assert.deepEqual(lab.connect(4, { count: 6 }), { [seen[4].isp1]: 3, [seen[4].isp2]: 3 });
});
