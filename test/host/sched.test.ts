// The case table on bpf/sched*.h as a host program, and on the reference that the property test trusts.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { runCase, type SchedulerCase } from '../cases/case.ts';
import { schedulerCases } from '../cases/schedulers.ts';
import { ModelDirector } from './model-director.ts';
import { ReferenceScheduling } from './reference.ts';
import { SchedHost } from './sched-host.ts';
import { HostScheduling } from './scheduling.ts';

describe('on the host, scheduler', () => {
  const host = new SchedHost();
  after(() => host.stop());
  const director = new ModelDirector(new HostScheduling(host));
  for (const schedulerCase of schedulerCases) {
    const { scheduler, name } = schedulerCase;
    test(`${scheduler} ${name}`, () => runCase(director, schedulerCase));
  }
});

/** The reference goes through each pass of wrr, however many there are. */
function hasManyPasses({ scheduler, gateways }: SchedulerCase): boolean {
  const weights = Object.values(gateways).map((given) =>
    typeof given === 'number' ? given : given.weight,
  );
  return scheduler === 'wrr' && Math.max(...weights) > 1_000_000;
}

describe('in the reference, scheduler', () => {
  const director = new ModelDirector(new ReferenceScheduling());
  for (const schedulerCase of schedulerCases) {
    const { scheduler, name } = schedulerCase;
    if (hasManyPasses(schedulerCase)) continue;
    test(`${scheduler} ${name}`, () => runCase(director, schedulerCase));
  }
});

test('no two cases of a scheduler have the same name', () => {
  const names = schedulerCases.map(({ scheduler, name }) => `${scheduler} ${name}`);
  assert.equal(new Set(names).size, names.length);
});
