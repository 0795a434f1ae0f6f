// The fast path by an uplink without a link header: a tunnel, as WireGuard and PPP are.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lacksTun } from '../bpf/tun.ts';
import { ConfigLab } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families } from './director-lab.ts';

const lab = new ConfigLab('fasttun');
const daemon = new Daemon(lab);
const ends: { kill(): void }[] = [];
const skip = lacksTun();

const config = `
fastpath: on
gateways:
  vpn: { link: tun1, via: onlink }
services:
  all: { fwmark: 1, gateways: { vpn: 1 } }
rules:
  - { service: all }`;

async function makeTunnel(): Promise<void> {
  const program = [process.execPath, `${import.meta.dirname}/tunnel-end.ts`, 'tun1'];
  for (const [host, from, to] of [
    ['director', '192.0.2.2', '192.0.2.1'],
    ['isp1', '192.0.2.1', '192.0.2.2'],
  ] as const) {
    const end = lab.start(host, [...program, from, to]);
    ends.push(end);
    await end.started;
  }
  lab.director('ip addr add 10.9.0.2/30 dev tun1; ip addr add 2001:db8:99::2/64 dev tun1 nodad');
  lab.script(
    'isp1',
    'ip addr add 10.9.0.1/30 dev tun1; ip addr add 2001:db8:99::1/64 dev tun1 nodad',
  );
  // As the internet reaches isp1's other customers.
  lab.script(
    'internet',
    `ip route add 10.9.0.0/30 $(ip route show 192.0.2.0/24 | sed 's/^[^ ]* //')
    ip -6 route add 2001:db8:99::/64 $(ip -6 route show 2001:db8:1::/64 | sed 's/^[^ ]* //')`,
  );
}

before(async () => {
  if (skip) return;
  await lab.up();
  await makeTunnel();
  await daemon.start(config);
});
after(async () => {
  await daemon.end();
  for (const end of ends) end.kill();
  await lab.down();
});

for (const family of families)
  test(`a download over IPv${family} takes it by a tunnel, both ways`, {
    skip,
    timeout: 30_000,
  }, async () => {
    const before = lab.taken();
    const { ok, error } = await lab.download(family, 5_000_000, 1_000_000_000).result;
    assert.ok(ok, error);
    const [up, down] = lab.taken().map((packets, i) => packets - before[i]!) as [number, number];
    assert.ok(up > 100 && down > 100, `${up} up, ${down} down`);
  });
