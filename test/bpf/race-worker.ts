// One of the CPUs of race.test.ts: packets of a few connections, in an order that means nothing.

import { parentPort, workerData } from 'node:worker_threads';
import { Program } from '../../src/kernel/program.ts';
import { Flow } from './flow.ts';
import { randomOf } from './random.ts';

export interface RaceWork {
  seed: number;
  packets: number;
  director: number;
  ingress: number;
  egress: number;
}

const { seed, packets, ...fds } = workerData as RaceWork;
const director = new Program(fds.director);
const ingress = new Program(fds.ingress);
const egress = new Program(fds.egress);
const random = randomOf(seed);

/** Few enough that two CPUs often have the same one, and new clients all the time. */
function randomFlow(): Flow {
  const era = Math.floor(performance.timeOrigin + performance.now()) >> 9;
  const protocol = random(4) === 0 ? 'udp' : 'tcp';
  return new Flow({
    client: `10.${(era >> 8) & 255}.${era & 255}.${random(4)}`,
    port: random(4),
    protocol,
  });
}

for (let sent = 0; sent < packets; sent++) {
  const flow = randomFlow();
  const flags = ['S', 'S', 'A', 'FA', 'R'][random(5)]!;
  // Service 2 is persistent.
  if (random(3) === 0) egress.run(flow.down(flags).bytes);
  else if (random(2) === 0) ingress.run(flow.up(flags).bytes);
  else director.run(flow.up(flags).bytes, { mark: 1 + random(2) });
}
parentPort!.postMessage('done');
