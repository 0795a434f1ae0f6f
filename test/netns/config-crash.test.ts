// lvsj apply is killed (-9) at random moments: traffic flows all the time, and the next apply makes the
// director what the file says. Needs root.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConfigLab } from './config-lab.ts';
import { applyAndDie, assertConverges, placeStands } from './crash.ts';
import { families } from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new ConfigLab('crash', 3);
const kills = 50;

const manyRules = (count: number): string =>
  Array.from(
    { length: count },
    (_, k) => `  - { to: 10.66.${k}.0/24, dport: 25, service: other }`,
  ).join('\n');

/** What differs: a gateway, weights, a scheduler, addresses of a gateway, a set, rules. `stay` keeps both gateways. */
const configs = [
  `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 } }
services:
  stay: { fwmark: 1, scheduler: wrr, gateways: { fiber: 3, lte: 1 } }
  other: { fwmark: 2, scheduler: wlc, gateways: { fiber: 1, lte: 1 } }
rules:
${manyRules(20)}
  - { service: stay }`,
  `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 }, snat: { ipv4: 203.0.113.2 } }
  third: { link: eth3, via: { ipv4: 100.64.3.1, ipv6: 2001:db8:3::1 } }
services:
  stay: { fwmark: 1, scheduler: wlc, gateways: { fiber: 1, lte: 1 } }
  other: { fwmark: 2, scheduler: sh, persistent: 300s, gateways: { third: 1, lte: 2 } }
sets:
  mail: { prefixes: [10.88.0.0/16, 2001:db8:88::/48] }
rules:
  - { to: "@mail", service: other }
${manyRules(200)}
  - { service: stay }`,
] as const;

/** New connections one after the other, of both families, until it is told to end. */
function keepConnecting(): { end(): Promise<Record<string, number>> } {
  let going = true;
  const total: Record<string, number> = {};
  const work = async () => {
    for (let round = 0; going; round++) {
      const running = lab.startConnect(families[round % 2]!, { count: 100, parallel: 1 });
      for (const [address, n] of Object.entries(await running.result))
        total[address] = (total[address] ?? 0) + n;
    }
    return total;
  };
  const done = work();
  return {
    end: () => {
      going = false;
      return done;
    },
  };
}

describe('lvsj apply that is killed', { timeout: 240_000 }, () => {
  let steady: SteadyRun[] = [];
  let connecting: ReturnType<typeof keepConnecting> | undefined;
  before(async () => {
    await lab.up();
    placeStands(lab);
  });
  after(async () => {
    for (const run of steady) run.kill();
    await connecting?.end();
    await lab.down();
  });

  test(`at ${kills} moments: connections live and new ones come, and the next apply converges`, async () => {
    lab.apply(configs[0]);
    lab.apply(configs[1]);
    lab.write(configs[0]);
    const { calls } = await applyAndDie(lab, { call: 0, seconds: 0 });
    steady = await Promise.all(families.map((family) => startSteady(lab, family, { count: 50 })));
    connecting = keepConnecting();
    let killed = 0;
    for (let k = 1; killed < kills; k++) {
      assert.ok(k <= 4 * kills, `only ${killed} of ${k} were killed before their end`);
      lab.write(configs[k % 2]!);
      const death = { call: 1 + Math.floor(Math.random() * calls), seconds: Math.random() / 100 };
      if ((await applyAndDie(lab, death)).killed) killed++;
      if (k % 25 === 0) assertConverges(lab, configs[k % 2]!);
    }
    assertConverges(lab, configs[0]);
    const { failed, ...seen } = await connecting.end();
    assert.equal(failed, undefined, JSON.stringify(seen));
    for (const run of steady) {
      const { lived, moved, reasons } = await run.end();
      assert.deepEqual({ lived, moved, reasons }, { lived: 50, moved: 0, reasons: [] });
    }
    lab.assertNoStrays();
  });
});
