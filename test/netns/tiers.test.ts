// Tiers: lte stands by for fiber. It takes over while fiber is away and gives back what its service says;
// and what becomes of clients once both are away. Needs root.
//
// Elsewhere: openwrt/mwan3 connections that stay on the metered line after failback; VPN users whose
// packets leave in the clear when the tunnel is down.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setCarrier } from '../../src/lab/isp-link.ts';
import type { Isp } from '../../src/lab/topology.ts';
import { ConfigLab, gateways } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families, seen, serverAddress, snatAll } from './director-lab.ts';
import { startSteady } from './steady.ts';

const lab = new ConfigLab('tiers');
const daemon = new Daemon(lab);
const [fiberIsp] = lab.lab.isps as [Isp];
const { isp1: fiber, isp2: lte } = seen[4];

const config = (policy: string): string => `${gateways}
services:
  all: { fwmark: 1, scheduler: rr, ${policy}, gateways: { fiber: { tier: 1 }, lte: { tier: 4 } } }
rules:
  - { service: all }`;

interface GatewayLine {
  name: string;
  unavailable: string;
}

const isAway = (): boolean => {
  const lines = JSON.parse(lab.lvsj('gateway --json')) as GatewayLine[];
  return lines.some(({ name, unavailable }) => name === 'fiber' && unavailable !== '');
};

/** Fiber's link, as seen by the daemon. */
async function setFiber(carrier: boolean): Promise<void> {
  await setCarrier(lab.lab, fiberIsp, carrier);
  await daemon.until(`fiber ${carrier ? 'back' : 'away'}`, () => isAway() !== carrier, 20_000);
}

const explain = (): string => lab.lvsj(`explain ${lab.clients(4)[0]} ${serverAddress[4]}`);

describe('a second tier', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    await daemon.start(config('failback: stay'));
  });
  after(async () => {
    await daemon.end();
    await lab.down();
  });

  test('has no connection while the first takes them, and lvsj says so', () => {
    assert.deepEqual(lab.connect(4, { count: 8 }), { [fiber]: 8 });
    assert.match(explain(), /^ +4 +lte .* not asked: tier 1 takes it$/m);
    assert.match(lab.lvsj('service all'), /failback stay/);
    assert.match(lab.lvsj('service all'), /^ +lte +203\.0\.113\.1 +4 +1 /m);
  });

  test('takes all while the first is away, and keeps what it has with failback stay', async () => {
    await setFiber(false);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [lte]: 8 });
    assert.match(explain(), /^candidates +tier +gateway.*\n +1 +fiber .*no carrier/m);
    const tcp = await startSteady(lab, 4, { count: 12, interval: 0.1 });
    await setFiber(true);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [fiber]: 8 });
    await tcp.rounds(2);
    const { lived, moved, gateways: where } = await tcp.end();
    assert.deepEqual({ lived, moved, where }, { lived: 12, moved: 0, where: { [lte]: 12 } });
  });

  test('gives everything back with failback now: TCP begins anew, UDP goes on', async () => {
    await daemon.edit(config('failback: now, on-down: reset'));
    await setFiber(false);
    const [tcp, udp] = await Promise.all([
      startSteady(lab, 4, { count: 12, interval: 0.1 }),
      startSteady(lab, 4, { count: 12, interval: 0.1, udp: true }),
    ]);
    await setFiber(true);
    await udp.rounds(3);
    const [resets, moves] = [await tcp.end(), await udp.end()];
    assert.deepEqual([resets.lived, resets.broken], [0, 12], resets.reasons.join());
    assert.match(resets.reasons.join(), /ECONNRESET/);
    assert.deepEqual([moves.lived, moves.gateways], [12, { [fiber]: 12 }]);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [fiber]: 8 });
  });

  /** Without a daemon. */
  const applyDrained = async (lastResort: string): Promise<void> => {
    await daemon.end();
    lab.apply(config(`last-resort: ${lastResort}`));
    for (const name of ['fiber', 'lte']) lab.lvsj(`gateway ${name} drain`);
    lab.resetStrays();
  };

  test('drained like the first: clients are told at once with last-resort unreachable', async () => {
    await applyDrained('unreachable');
    for (const family of families) {
      const counts = lab.connect(family, { count: 4, timeout: 3 });
      assert.match(Object.keys(counts).join(), /ECONNREFUSED/);
    }
    assert.match(explain(), /the client is told \(last-resort unreachable\)/);
  });

  test('drained like the first: nothing goes out with last-resort drop', async () => {
    await applyDrained('drop');
    for (const family of families) {
      const counts = lab.connect(family, { count: 2, timeout: 1, parallel: 2 });
      assert.match(Object.keys(counts).join(), /timeout/);
    }
    const verdicts = JSON.parse(lab.lvsj('status --json')).verdicts.director;
    assert.ok(verdicts.dropped >= 4, JSON.stringify(verdicts));
    lab.assertNoStrays();
  });

  test('drained like the first: all goes by the main table with last-resort main', async () => {
    await applyDrained('main');
    // What the main table leads out has its source address by the admin's rules.
    lab.director(snatAll);
    assert.deepEqual(lab.connect(4, { count: 2 }), { [fiber]: 2 });
  });
});
