// Lines that change: another lease, another prefix, a reconnect, a pulled cable, an address that nobody
// told of. lvsj run follows at once; who is not concerned does not notice. Needs root.
//
//   lan ── eth0 director eth1 ── isp1
//                        eth2 ── isp2, by DHCP and router advertisements
//                        ppp3 ── isp3, a point-to-point link
//
// Elsewhere: openwrt/packages 15145 (address change without ifup), 25792; IPv6 prefixes: 12309, 14332.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { changeLease, renewLease } from '../../src/lab/dhcp.ts';
import { changePrefix, makeLink, removeLink, setCarrier } from '../../src/lab/isp-link.ts';
import type { Isp } from '../../src/lab/topology.ts';
import type { Family } from '../../src/model/table.ts';
import { ConfigLab } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families } from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new ConfigLab('links', 3, { dhcp: [2], ppp: [3] });
const daemon = new Daemon(lab);
const [, cable, dsl] = lab.lab.isps as [Isp, Isp, Isp];

/** The last client of each family has a service of its own, by fiber alone. */
const calm = { 4: lab.clients(4).at(-1)!, 6: lab.clients(6).at(-1)! } as const;
const config = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  cable: { link: eth2, via: auto }
  dsl: { link: ppp3, via: onlink }
services:
  calm: { fwmark: 2, gateways: { fiber: 1 } }
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, cable: 1, dsl: 1 } }
rules:
  - { from: [${calm[4]}, "${calm[6]}"], service: calm }
  - { service: all }`;

/** Where the director is seen from; a test that changes one says so. */
const seen: Record<Family, Record<string, string>> = {
  4: { fiber: '192.0.2.2', cable: '203.0.113.2', dsl: '100.64.3.2' },
  6: { fiber: '2001:db8:1::2', cable: '2001:db8:2::2', dsl: '2001:db8:3::2' },
};

/** So many new connections are spread evenly over these gateways. */
function assertShared(
  names: string[] = ['fiber', 'cable', 'dsl'],
  only: readonly Family[] = families,
): void {
  for (const family of only) {
    const want = Object.fromEntries(names.map((name) => [seen[family][name], 12 / names.length]));
    assert.deepEqual(lab.connect(family, { count: 12 }), want);
  }
}

interface GatewayLine {
  name: string;
  family: Family;
  unavailable: string;
}

const unavailable = (name: string): string[] => {
  const gateways = JSON.parse(lab.lvsj('gateway --json')) as GatewayLine[];
  return gateways
    .filter((each) => each.name === name && each.unavailable !== '')
    .map(({ unavailable: why }) => why);
};

describe('lvsj run follows', { timeout: 120_000 }, () => {
  let calmRuns: SteadyRun[] = [];
  before(async () => {
    await lab.up();
    await daemon.start(config);
    calmRuns = await Promise.all(
      families.map((family) => startSteady(lab, family, { count: 20, from: [calm[family]] })),
    );
  });
  beforeEach(() => lab.resetStrays());
  after(async () => {
    for (const run of calmRuns) run.kill();
    await daemon.end();
    await lab.down();
  });

  test('another lease: new connections have the new address, and UDP goes on under it', async () => {
    const udp = await startSteady(lab, 4, { count: 12, udp: true });
    await changeLease(lab.lab, cable, '203.0.113.77');
    renewLease(lab.lab, cable);
    const old = seen[4].cable!;
    seen[4].cable = '203.0.113.77';
    const has = () => lab.director('ip -4 addr show dev eth2').includes('203.0.113.77');
    await daemon.until('the new lease', has);
    await daemon.until('the gateway', () => unavailable('cable').length === 0);
    assertShared();
    const { lived, gateways } = await udp.end();
    assert.equal(lived, 12);
    assert.equal(gateways[old], undefined);
  });

  test('another prefix by router advertisement: new connections have it', async () => {
    const udp = await startSteady(lab, 6, { count: 12, udp: true });
    changePrefix(lab.lab, cable, '2001:db8:1002::');
    const old = seen[6].cable!;
    seen[6].cable = '2001:db8:1002::2';
    const has = () => lab.director('ip -6 addr show dev eth2').includes('2001:db8:1002::2');
    await daemon.until('the new prefix', has);
    assertShared(undefined, [6]);
    const { lived, gateways } = await udp.end();
    assert.deepEqual([lived, gateways[old]], [12, undefined]);
  });

  test('a reconnect with another address and interface number', async () => {
    const udp = await startSteady(lab, 4, { count: 12, udp: true });
    removeLink(lab.lab, dsl);
    await daemon.until('the loss', () => unavailable('dsl').length === 2);
    assertShared(['fiber', 'cable']);
    await makeLink(lab.lab, dsl, '100.64.3.99');
    seen[4].dsl = '100.64.3.99';
    await daemon.until('the return', () => unavailable('dsl').length === 0);
    assertShared();
    const { lived, gateways } = await udp.end();
    assert.deepEqual([lived, gateways['100.64.3.2']], [12, undefined]);
  });

  test('a pulled cable: no new connection goes there until it is back', async () => {
    await setCarrier(lab.lab, cable, false);
    await daemon.until('the loss', () => unavailable('cable').length === 2);
    assertShared(['fiber', 'dsl']);
    await setCarrier(lab.lab, cable, true);
    await daemon.until('the return', () => unavailable('cable').length === 0);
    assertShared();
  });

  test('connections of the line to which nothing happened never noticed', async () => {
    for (const run of calmRuns) {
      const { lived, moved, slowestMs, reasons } = await run.end();
      assert.deepEqual({ lived, moved, reasons }, { lived: 20, moved: 0, reasons: [] });
      assert.ok(slowestMs < 1000, `an answer took ${slowestMs} ms`);
    }
  });

  test('a link that is set down and up again has its routes again', async () => {
    lab.director('ip link set eth1 down');
    await daemon.until('the loss', () => unavailable('fiber').length === 2);
    assertShared(['cable', 'dsl']);
    lab.director(`ip link set eth1 up
      ip -6 addr replace 2001:db8:1::2/64 dev eth1 nodad
      ip route replace default via 192.0.2.1; ip -6 route replace default via 2001:db8:1::1`);
    await daemon.until('the return', () => unavailable('fiber').length === 0);
    assertShared();
  });

  test('an address that is replaced without a word is the new source at once', async () => {
    lab.director(`ip addr add 192.0.2.7/24 dev eth1; ip addr del 192.0.2.2/24 dev eth1
      ip addr replace 192.0.2.7/24 dev eth1
      ip route replace default via 192.0.2.1`);
    seen[4].fiber = '192.0.2.7';
    await daemon.until('the gateway', () => unavailable('fiber').length === 0);
    assertShared();
  });
});
