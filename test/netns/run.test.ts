// The working day of an admin: lvsj run with two written lines and one by DHCP, and 500 connections that
// nothing of it breaks or moves. Needs root.
//
//   lan ── eth0 director eth1 ── isp1              eth3 ── isp3, by DHCP and router advertisements
//                        eth2 ── isp2              eth4 ── isp4, added later

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { ConfigLab } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families } from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new ConfigLab('run', 4, { dhcp: [3] });
const daemon = new Daemon(lab);

interface Wish {
  /** Of fiber, lte and cable. */
  weights?: [number, number, number];
  fourth?: boolean;
  /** How many rules stand before the last, and which of two sets of them. */
  rules?: number;
  set?: number;
}

const configOf = ({
  weights = [2, 1, 1],
  fourth = false,
  rules = 0,
  set = 0,
}: Wish = {}): string => `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 }, snat: { ipv4: 203.0.113.2 } }
  cable: { link: eth3, via: auto }
  ${fourth ? 'fourth: { link: eth4, via: { ipv4: 100.64.4.1, ipv6: 2001:db8:4::1 } }' : ''}
services:
  all:
    fwmark: 1
    scheduler: wrr
    gateways: { fiber: ${weights[0]}, lte: ${weights[1]}, cable: ${weights[2]}${fourth ? ', fourth: 1' : ''} }
rules:
${Array.from({ length: rules }, (_, k) => `  - { to: 10.${100 + set}.${k >> 8}.${k & 255}, proto: tcp, dport: ${25 + set}, service: all }`).join('\n')}
  - { service: all }`;

const seen = {
  4: ['192.0.2.2', '203.0.113.2', '100.64.3.2', '100.64.4.2'],
  6: ['2001:db8:1::2', '2001:db8:2::2', '2001:db8:3::2', '2001:db8:4::2'],
} as const;

describe('lvsj run', { timeout: 120_000 }, () => {
  let steady: SteadyRun[] = [];
  before(async () => {
    await lab.up();
    await daemon.start(configOf());
    steady = await Promise.all(families.map((family) => startSteady(lab, family, { count: 250 })));
  });
  afterEach(async () => {
    for (const run of steady) await run.rounds(1);
    lab.assertNoStrays();
  });
  after(async () => {
    for (const run of steady) run.kill();
    await daemon.end();
    await lab.down();
  });

  test('shares connections over written and learnt gateways', () => {
    for (const family of families) {
      const [fiber, lte, cable] = seen[family];
      assert.deepEqual(lab.connect(family, { count: 40 }), { [fiber]: 20, [lte]: 10, [cable]: 10 });
    }
  });

  test('a change of weights', async (t) => {
    const { tookMs } = await daemon.edit(configOf({ weights: [1, 1, 2] }));
    t.diagnostic(`a weight change took ${tookMs} ms (aim: 20)`);
    for (const family of families) {
      const [fiber, lte, cable] = seen[family];
      assert.deepEqual(lab.connect(family, { count: 40 }), { [fiber]: 10, [lte]: 10, [cable]: 20 });
    }
  });

  test('one more gateway', async (t) => {
    const { tookMs } = await daemon.edit(configOf({ fourth: true }));
    t.diagnostic(`a new gateway took ${tookMs} ms`);
    for (const family of families) {
      const [fiber, lte, cable, fourth] = seen[family];
      const want = { [fiber]: 16, [lte]: 8, [cable]: 8, [fourth]: 8 };
      assert.deepEqual(lab.connect(family, { count: 40 }), want);
    }
  });

  test('a thousand rules come, change, and go', async (t) => {
    for (const wish of [{ rules: 1000 }, { rules: 1000, set: 1 }, {}]) {
      const { tookMs } = await daemon.edit(configOf({ fourth: true, ...wish }));
      t.diagnostic(`${JSON.stringify(wish)} took ${tookMs} ms (aim: 300)`);
    }
    assert.equal(lab.connect(4, { count: 10 }).failed, undefined);
  });

  test('a file that is refused changes nothing, and a reload says why', async () => {
    lab.write(`${configOf({ fourth: true })}\nbogus: 1`);
    await daemon.until('an error', () => daemon.log().some(({ level }) => level === 'error'));
    assert.equal(lab.connect(4, { count: 10 }).failed, undefined);
    await daemon.edit(configOf({ fourth: true }));
  });

  test('the daemon is killed and comes again', async () => {
    await daemon.end('SIGKILL');
    assert.equal(lab.connect(4, { count: 10 }).failed, undefined);
    await daemon.start(configOf({ fourth: true }));
  });

  test('of 500 connections none broke and none moved', async () => {
    for (const run of steady) {
      const { lived, broken, moved, reasons } = await run.end();
      assert.deepEqual(
        { lived, broken, moved, reasons },
        { lived: 250, broken: 0, moved: 0, reasons: [] },
      );
    }
    steady = [];
  });
});
