// The fast path between real programs: who takes it, what switches it off, and that no connection notices.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clockMs } from '../../src/lab/clock.ts';
import { clientProgram } from '../../src/lab/lab.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families, serverAddress } from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new ConfigLab('fast');
const daemon = new Daemon(lab);
const config = (fastpath: 'on' | 'off'): string =>
  `fastpath: ${fastpath}\n${gateways}${everything}`;
/**
 * Seconds; longer than between two looks at conntrack, so that a request looks before its answer does: what
 * conntrack has forgotten an answer can't make it know again.
 */
const interval = 0.16;
/** A rule is to be in force after so long. */
const inForceMs = 100;

/** Whether any does while each connection is answered three times more. */
async function isTaken(runs: SteadyRun[]): Promise<boolean> {
  const before = lab.taken();
  for (const run of runs) await run.rounds(3);
  return lab.taken().some((packets, i) => packets > before[i]!);
}

before(async () => {
  await lab.up();
  await daemon.start(config('on'));
});
after(async () => {
  await daemon.end();
  await lab.down();
});

for (const family of families)
  test(`a download over IPv${family} takes it, both ways`, { timeout: 20_000 }, async () => {
    const before = lab.taken();
    const { ok, error } = await lab.download(family, 20_000_000, 1_000_000_000).result;
    assert.ok(ok, error);
    // Each way nearly all of it: acknowledgements go up, and behind GRO a packet stands for many.
    const [up, down] = lab.taken().map((packets, i) => packets - before[i]!) as [number, number];
    assert.ok(up > 100 && down > 200, `${up} up, ${down} down`);
  });

describe('connections that talk all the time', { timeout: 120_000 }, () => {
  const runs: SteadyRun[] = [];
  before(async () => {
    for (const family of families)
      for (const udp of [false, true])
        runs.push(await startSteady(lab, family, { count: 30, udp, interval, timeout: 3 }));
    // UDP has talked for long enough to be assured.
    for (const run of runs) await run.rounds(25);
  });
  after(() => {
    for (const run of runs) run.kill();
  });

  test('take it', async () => {
    for (const run of runs) assert.ok(await isTaken([run]));
  });

  test('take the normal path when it is switched off, and come back', async () => {
    await daemon.edit(config('off'));
    assert.equal(await isTaken(runs), false);
    await daemon.edit(config('on'));
    for (const run of runs) await run.rounds(3);
    assert.equal(await isTaken(runs), true);
  });

  test('follow a neighbour to its new hardware address', async () => {
    lab.run('isp1', ['ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:77:01']);
    for (const via of ['192.0.2.1', '2001:db8:1::1'])
      lab.director(`ip neigh replace ${via} lladdr 02:00:00:00:77:01 dev eth1`);
    assert.equal(await isTaken(runs), true);
  });

  test('begin anew in conntrack when it has forgotten them', async () => {
    lab.director('conntrack -D -s 10.0.0.11 >/dev/null');
    for (const run of runs) await run.rounds(3);
    assert.match(lab.director('conntrack -L -s 10.0.0.11 2>/dev/null'), /ASSURED/);
  });

  test('take the normal path when the daemon is killed, and come back with the next', async () => {
    await daemon.end('SIGKILL');
    const killed = performance.now();
    let before = lab.taken();
    await waitUntil('the lease to be over', () => {
      const last = before;
      before = lab.taken();
      return performance.now() - killed > 1100 && before.join() === last.join();
    });
    assert.equal(await isTaken(runs), false);
    await daemon.start(config('on'));
    for (const run of runs) await run.rounds(3);
    assert.equal(await isTaken(runs), true);
  });

  test('have all lived, where they began', async () => {
    for (const run of runs.splice(0)) {
      const { lived, moved, reasons } = await run.end();
      assert.deepEqual({ lived, moved, reasons }, { lived: 30, moved: 0, reasons: [] });
    }
  });
});

test('a new rule stops established traffic in time', { timeout: 20_000 }, async () => {
  const from = lab.clients(4).at(-1)!;
  const words = `datagrams --to ${serverAddress[4]} --from ${from} --rate 200`;
  const run = lab.start('lan', [...clientProgram, ...words.split(' ')]);
  await run.started;
  const before = lab.taken();
  await waitUntil('datagrams take it', () => lab.taken()[0] > before[0] + 100);
  lab.director(`nft add table ip stop
    nft add chain ip stop forward '{ type filter hook forward priority 0; }'`);
  lab.director(`nft add rule ip stop forward ip saddr ${from} drop`);
  const ruled = clockMs();
  await waitUntil('it to be late', () => clockMs() > ruled + 500);
  run.kill();
  const answers = (await run.result).trim().split('\n');
  const last = (JSON.parse(answers.at(-1)!) as { at: number }).at;
  assert.ok(last < ruled + inForceMs, `an answer ${last - ruled} ms after the rule`);
  lab.director('nft delete table ip stop');
});

test('a connection of the main route outlives lvsj stop', { timeout: 30_000 }, async () => {
  // With SNAT of the admin's own, which stays.
  await daemon.edit(`fastpath: on
gateways: { fiber: { link: eth1, via: { ipv4: 192.0.2.1 }, snat: none } }
services: { all: { fwmark: 1, gateways: { fiber: 1 } } }
rules: [{ service: all }]`);
  lab.director(`ip route replace default via 192.0.2.1
    nft -f - <<X
table ip admin {
  chain postrouting { type nat hook postrouting priority srcnat; oifname eth1 masquerade; }
}
X`);
  const before = lab.taken();
  const download = lab.download(4, 400_000_000, 60_000_000);
  let ended = false;
  void download.result.then(() => {
    ended = true;
  });
  await download.started;
  await waitUntil('much that conntrack does not see', () => lab.taken()[1] > before[1] + 1000);
  await daemon.end();
  lab.lvsj('stop');
  assert.match(lab.director('sysctl net.netfilter.nf_conntrack_tcp_be_liberal'), /= 0/);
  assert.ok(!ended, 'it goes on');
  const { ok, error } = await download.result;
  assert.ok(ok, error);
});
