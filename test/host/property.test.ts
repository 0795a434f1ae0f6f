// bpf/sched*.h against the slow reference, over services that nobody thought of.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Client, Flag, Scheduler } from '../cases/case.ts';
import { ReferenceScheduling } from './reference.ts';
import { SchedHost } from './sched-host.ts';
import { type Counts, HostScheduling, type Scheduling } from './scheduling.ts';

const maxGateways = 64;

type Op =
  | { do: 'pick'; client: Client }
  | { do: 'insert'; weight: number }
  /** The others: `which` is taken modulo the gateways that there are. */
  | { do: 'weight'; which: number; weight: number }
  | { do: 'remove'; which: number }
  | { do: 'counts'; which: number; counts: Counts };

const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
const ipv6 = groups.map((groups) => groups.map((group) => group.toString(16)).join(':'));

const client: fc.Arbitrary<Client> = fc.record({
  address: fc.oneof(fc.ipV4(), ipv6),
  port: fc.nat(65535),
});

const counts: fc.Arbitrary<Counts> = fc.record({
  active: fc.nat(4),
  inactive: fc.nat(1000),
  overloaded: fc.boolean(),
});

function op(weight: fc.Arbitrary<number>): fc.Arbitrary<Op> {
  const which = fc.nat(maxGateways);
  const kind = <K extends Op['do']>(name: K) => fc.constant(name);
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: kind('pick'), client }) },
    { weight: 3, arbitrary: fc.record({ do: kind('insert'), weight }) },
    { weight: 1, arbitrary: fc.record({ do: kind('weight'), which, weight }) },
    { weight: 1, arbitrary: fc.record({ do: kind('remove'), which }) },
    { weight: 2, arbitrary: fc.record({ do: kind('counts'), which, counts }) },
  );
}

/** Weights are heavy by a common unit only: the reference goes through each pass of wrr. */
const ops = fc
  .tuple(fc.constantFrom(1, 7, 2 ** 23), fc.constantFrom(5, 255))
  .chain(([unit, max]) => {
    const weight = fc.nat(max).map((n) => n * unit);
    const first = fc.array(weight.map((weight): Op => ({ do: 'insert', weight })));
    const rest = fc.array(op(weight), { size: 'large' });
    return fc.tuple(first, rest).map(([first, rest]) => [...first, ...rest]);
  });

/** Does one step with the gateways that there are; a pick's slot is the answer. */
async function step(scheduling: Scheduling, slots: number[], op: Op): Promise<number | undefined> {
  if (op.do === 'pick') return await scheduling.pick(op.client);
  if (op.do === 'insert') {
    const slot = Math.max(0, ...slots) + 1;
    if (slots.length === maxGateways) return undefined;
    slots.push(slot);
    return void (await scheduling.insert(slot, op.weight));
  }
  const place = op.which % slots.length;
  const slot = slots[place];
  if (slot === undefined) return undefined;
  if (op.do === 'weight') return void (await scheduling.setWeight(slot, op.weight));
  if (op.do === 'counts') return void (await scheduling.setCounts(slot, op.counts));
  slots.splice(place, 1);
  return void (await scheduling.remove(slot));
}

/** Begun in order but not awaited one by one: the host program answers a whole batch at once. */
async function picksOf(scheduling: Scheduling, ops: Op[]): Promise<(number | undefined)[]> {
  const slots: number[] = [];
  return await Promise.all(ops.map((op) => step(scheduling, slots, op)));
}

describe('whatever is done to a service, the reference and the host choose alike', () => {
  const host = new SchedHost();
  after(() => host.stop());
  const schedulers: Scheduler[] = ['rr', 'wrr', 'lc', 'wlc', 'sh'];
  const flags: Flag[] = ['sh-fallback', 'sh-port'];

  for (const scheduler of schedulers) {
    test(`with ${scheduler}`, async () => {
      const ours = new HostScheduling(host);
      const reference = new ReferenceScheduling();
      const property = fc.asyncProperty(ops, fc.subarray(flags), async (ops, flags) => {
        await ours.begin(scheduler, flags);
        await reference.begin(scheduler, flags);
        assert.deepEqual(await picksOf(ours, ops), await picksOf(reference, ops));
      });
      await fc.assert(property, { numRuns: 100 });
    });
  }
});
