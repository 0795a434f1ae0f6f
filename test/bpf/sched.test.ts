// The case table of the schedulers in the kernel: each choice is a packet through lvsj_director.

import { after, afterEach, describe, test } from 'node:test';
import { run } from '../../src/util/run.ts';
import { runCase } from '../cases/case.ts';
import { schedulerCases } from '../cases/schedulers.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { KernelDirector } from './sched-director.ts';

const bed = openBed({ gateways: 64 });
// Where the gateways of mh's vectors lie.
for (const net of [1, 2, 3]) run(['ip', 'address', 'add', `10.0.${net}.254/24`, 'dev', 'wan1']);
const director = new KernelDirector(bed);
after(() => bed.close());
afterEach(() => {
  if (!director.countsAreForged) assertExact(bed);
  bed.forget();
});

describe('in the kernel, scheduler', () => {
  for (const schedulerCase of schedulerCases) {
    const { scheduler, name } = schedulerCase;
    test(`${scheduler} ${name}`, () => runCase(director, schedulerCase));
  }
});
