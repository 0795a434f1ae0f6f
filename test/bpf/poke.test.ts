// Clients that are made to speak: whom a segment is sent to, and that nobody waits for it.

import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import * as abi from '../../src/kernel/abi.gen.ts';
import { pokeClients } from '../../src/kernel/poke.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { hooks, openBed } from './bed.ts';
import { idOf, setOnDown, takeDown, takeUp } from './down.ts';
import { client6, Flow } from './flow.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  takeUp(bed);
  bed.forget();
});
run(['ip', 'route', 'add', '10.0.0.0/24', 'dev', 'lan0']);
run(['ip', 'route', 'add', 'fd00::/64', 'dev', 'lan0']);

/** Segments of ours that left by lan0. */
const sent = (): number =>
  Number(bed.director.maps.verdicts()[hooks.indexOf('egress')]![abi.verdict.VERDICT_RESET]);

/** Through gateway 2; answered. */
function open(flow: Flow, fwmark = 1): void {
  bed.programs.director.run(flow.up().bytes, { mark: fwmark });
  bed.programs.egress.run(flow.down().bytes);
  bed.programs.ingress.run(flow.up('A').bytes);
}

for (const [fwmark, action] of [
  [1, 'RESET'],
  [2, 'RESET'],
  [3, 'KEEP'],
] as const)
  for (const family of [4, 6] as const) {
    bed.setService({ fwmark, family, scheduler: 'fo', gateways: [[1], [2, 2]] });
    setOnDown(bed, fwmark, action);
  }

test('two segments go to each client of an open TCP connection of these, and to no other', async () => {
  open(new Flow());
  open(new Flow({ client: client6 }));
  open(new Flow({ port: 4001, protocol: 'udp' }));
  open(new Flow({ port: 4002 }), 2);
  open(new Flow({ port: 4003 }), 3);
  const half = new Flow({ port: 4004 });
  bed.direct(half.up());
  takeDown(bed, [2]);
  open(new Flow({ port: 4005 }));
  const before = sent();
  const ids = [idOf(bed, 2), idOf(bed, 2, 6)];
  assert.equal(await pokeClients(bed.director, ids, [1, 3]), 2);
  await waitUntil('four segments', () => sent() - before === 4);
  assert.equal(await pokeClients(bed.director, [], [1]), 0);
});

test('so many that it would take long are poked a few at a time', async () => {
  const count = 3000;
  for (let port = 1; port <= count; port++) open(new Flow({ port: 10_000 + port }));
  takeDown(bed, [2]);
  const before = sent();
  let poked = -1;
  const done = pokeClients(bed.director, [idOf(bed, 2)], [1]).then((number) => {
    poked = number;
  });
  let longest = 0;
  while (poked < 0) {
    const start = process.cpuUsage();
    await setImmediate();
    const { user, system } = process.cpuUsage(start);
    longest = Math.max(longest, (user + system) / 1000);
  }
  await done;
  assert.equal(poked, count);
  assert.equal(sent() - before, 2 * count);
  assert.ok(longest < 50, `${longest} ms of work at a time`);
});
