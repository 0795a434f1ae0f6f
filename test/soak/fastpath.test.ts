// Minutes of all that befalls a router, on the fast path: 100,000 connections come and go, others are silent for
// longer than conntrack remembers, rules are flushed, a line flaps. Nothing breaks on the line that stays, and
// nothing is left in the end. `make soak` (root; not part of make test).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitUntil } from '../../src/util/wait-until.ts';
import { ConfigLab, gateways } from '../netns/config-lab.ts';
import { Daemon } from '../netns/daemon.ts';
import { families } from '../netns/director-lab.ts';
import { type SteadyRun, startSteady } from '../netns/steady.ts';

const connections = Number(process.env.SOAK_CONNECTIONS ?? 100_000);
const minutes = Number(process.env.SOAK_MINUTES ?? 5);
const lab = new ConfigLab('soak');
const daemon = new Daemon(lab);

/** Who stays on the line that never fails, and who is on both. */
const steadyClients = { 4: lab.clients(4).slice(0, 8), 6: lab.clients(6).slice(0, 8) };
const busyClients = lab.clients(4).slice(8);

const config = `
fastpath: on
timeouts: { tcp: 60s, tcp-fin: 5s, udp: 60s }
${gateways}
services:
  calm: { fwmark: 1, scheduler: rr, fastpath: on, gateways: { fiber: 1 } }
  all: { fwmark: 2, scheduler: rr, fastpath: on, gateways: { fiber: 1, lte: 1 } }
rules:
  - { from: [${[...steadyClients[4], ...steadyClients[6]].map((address) => `"${address}"`).join(', ')}], service: calm }
  - { service: all }`;

interface Status {
  connections: { now: number };
  verdicts: Record<string, Record<string, number>>;
}
const status = (): Status => JSON.parse(lab.lvsj('status --json')) as Status;

before(async () => {
  await lab.up();
  // conntrack forgets a silent stream before we do.
  lab.director(
    'sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=10 net.netfilter.nf_conntrack_udp_timeout=5',
  );
  await daemon.start(config);
});
after(async () => {
  await daemon.end();
  await lab.down();
});

/** One thing after the other, until all of the time is over. */
async function befall(end: number): Promise<number> {
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    lab.director(`nft add table inet soak
      nft add chain inet soak forward '{ type filter hook forward priority 0; }'
      nft add rule inet soak forward ct state established accept`);
    const next = performance.now() + 4000;
    await waitUntil('the next thing', () => performance.now() > next, 10_000);
    lab.director('nft flush table inet soak; nft delete table inet soak');
    lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'down']);
    const back = performance.now() + 1500;
    await waitUntil('the line to come back', () => performance.now() > back, 10_000);
    lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'up']);
    const calm = performance.now() + 4000;
    await waitUntil('some calm', () => performance.now() > calm, 10_000);
  }
  return rounds;
}

test('nothing breaks, and nothing is left', { timeout: (minutes + 5) * 60_000 }, async (t) => {
  const runs: SteadyRun[] = [];
  for (const family of families)
    for (const choice of [
      { count: 100, interval: 0.2 },
      { count: 50, interval: 0.2, udp: true },
      // Silent for longer than conntrack's time.
      { count: 20, interval: 15, timeout: 20, udp: true },
    ])
      runs.push(await startSteady(lab, family, { ...choice, from: steadyClients[family] }));
  const busy = lab.startConnect(4, { count: connections, parallel: 40, from: busyClients });
  const rounds = await befall(performance.now() + minutes * 60_000);
  const { failed = 0, ...seen } = await busy.result;
  const answered = Object.values(seen).reduce((sum, count) => sum + count, 0);
  t.diagnostic(
    `${rounds} rounds; of ${connections} new connections ${failed} failed with a line that failed`,
  );
  assert.equal(answered + failed, connections);
  assert.ok(failed < connections / 100, `${failed} failed`);
  for (const run of runs) {
    const { lived, broken, moved, reasons, slowestMs } = await run.end();
    t.diagnostic(`${lived} lived, slowest answer ${Math.round(slowestMs)} ms`);
    assert.deepEqual({ broken, moved, reasons }, { broken: 0, moved: 0, reasons: [] });
  }
  const { verdicts } = status();
  t.diagnostic(`fast: ${verdicts.ingress?.fast} up, ${verdicts['uplink-in']?.fast} down`);
  await waitUntil('all entries to go', () => status().connections.now === 0, 150_000);
  const left = JSON.parse(lab.run('director', [process.execPath, '-e', leftScript])) as Record<
    string,
    number
  >;
  assert.deepEqual(left, { up: 0, down: 0, active: 0, inactive: 0 });
});

/** In the director's namespace: what its maps hold. */
const leftScript = `
import(${JSON.stringify(new URL('../../src/kernel/director.ts', import.meta.url).pathname)}).then(({ Director }) => {
  const { maps, settings } = Director.find();
  const slots = [...maps.slotCounts.all(settings.slotsUsed).values()];
  const sum = (name) => slots.reduce((all, slot) => all + slot[name], 0);
  console.log(JSON.stringify({
    up: [...maps.fastFlows('fast_up')].length,
    down: [...maps.fastFlows('fast_down')].length,
    active: sum('active'),
    inactive: sum('inactive'),
  }));
});`;
