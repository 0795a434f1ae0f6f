// The case table of the schedulers in the kernel: each choice is a packet through lvsj_director.

import { after, afterEach, describe, test } from 'node:test';
import { runCase } from '../cases/case.ts';
import { schedulerCases } from '../cases/schedulers.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { KernelDirector } from './sched-director.ts';

const bed = openBed({ gateways: 64 });
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
