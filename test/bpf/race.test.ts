// Several CPUs on the same connections: the counters have no locks, and must be exact all the same.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { waitUntil } from '../../src/util/wait-until.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import type { RaceWork } from './race-worker.ts';

const seed = Number(process.env.RACE_SEED ?? 1);
const packets = Number(process.env.RACE_PACKETS ?? 20_000);
const cpus = 4;

const bed = openBed();
after(() => bed.close());
bed.setService({ scheduler: 'wrr', gateways: [[1, 2], [2]] });
bed.setService({ fwmark: 2, persistence: 1, netmask: '255.255.255.254', gateways: [[1], [2]] });

function start(number: number): Promise<unknown> {
  const { director, ingress, egress } = bed.programs;
  const workerData: RaceWork = {
    ...{ seed: seed * 100 + number, packets },
    ...{ director: director.fd, ingress: ingress.fd, egress: egress.fd },
  };
  return once(new Worker(new URL('./race-worker.ts', import.meta.url), { workerData }), 'message');
}

test(`${cpus} threads leave exact counters behind (seed ${seed})`, async () => {
  // At once where the state is final, so that entries end under the packets that look for them.
  const timeoutS = Array.from({ length: 16 }, (_, state) => (state === 5 || state === 6 ? 0 : 1));
  bed.setSettings({ timeoutS });
  let running = true;
  const workers = Promise.all(Array.from({ length: cpus }, (_, i) => start(i))).finally(() => {
    running = false;
  });
  for (let n = 0; running; n++) {
    // Templates move to the other gateway and back; thresholds come and go.
    bed.setService({
      ...{ fwmark: 2, persistence: 1, netmask: '255.255.255.254' },
      gateways: [
        [1, { weight: n % 2, upper: n % 5 }],
        [2, { weight: (n + 1) % 2 }],
      ],
    });
    await new Promise(setImmediate);
  }
  await workers;
  await waitUntil('the end of all connections', () => bed.connections.length === 0, 10_000);
  assertExact(bed);
  assert.equal(bed.counts(1), '0/0 0/0');
  assert.equal(bed.counts(2), '0/0 0/0');
});
