// bpf/sched*.h against the slow reference, over services that nobody thought of.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { gatewayAddress } from '../bpf/service.ts';
import { type Client, type Flag, type Load, type Scheduler, schedulers } from '../cases/case.ts';
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
  | { do: 'counts'; which: number; counts: Counts }
  | { do: 'down'; which: number; down: boolean }
  | { do: 'load'; which: number; load: Required<Load> }
  | { do: 'rtt'; which: number; microseconds: number }
  | { do: 'opened'; which: number }
  | { do: 'pass'; seconds: number }
  /** Another scheduler, and this one again. */
  | { do: 'reset' };

const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
const ipv6 = groups.map((groups) => groups.map((group) => group.toString(16)).join(':'));

const client: fc.Arbitrary<Client> = fc.record({
  address: fc.oneof(fc.ipV4(), ipv6),
  port: fc.nat(65535),
  // Some that come often: lblc remembers them.
  server: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('198.51.100.1', '2001:db8::1') },
    { weight: 1, arbitrary: fc.oneof(fc.ipV4(), ipv6) },
  ),
});

const counts: fc.Arbitrary<Counts> = fc.record({
  active: fc.nat(4),
  inactive: fc.nat(1000),
  overloaded: fc.boolean(),
});

/** Few different ones, so that there are ties. */
const bytes = fc.constantFrom(0, 1000, 64_000, 1_000_000, 2 ** 34);
const capacity = fc.constantFrom(0, 1_000_000, 100_000_000, 2 ** 33);
const load = fc.record({ down: bytes, up: bytes, capacityDown: capacity, capacityUp: capacity });
const microseconds = fc.oneof(fc.constantFrom(0, 1000, 2000), fc.nat(100_000));
/** A day is what lblc remembers; in two halves, so that lblcr's set may age while it is used. */
const seconds = fc.constantFrom(43200, 43201, 86400);

function op(weight: fc.Arbitrary<number>): fc.Arbitrary<Op> {
  const which = fc.nat(maxGateways);
  const kind = <K extends Op['do']>(name: K) => fc.constant(name);
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: kind('pick'), client }) },
    { weight: 3, arbitrary: fc.record({ do: kind('insert'), weight }) },
    { weight: 1, arbitrary: fc.record({ do: kind('weight'), which, weight }) },
    { weight: 1, arbitrary: fc.record({ do: kind('remove'), which }) },
    { weight: 2, arbitrary: fc.record({ do: kind('counts'), which, counts }) },
    { weight: 1, arbitrary: fc.record({ do: kind('down'), which, down: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: kind('load'), which, load }) },
    { weight: 1, arbitrary: fc.record({ do: kind('rtt'), which, microseconds }) },
    { weight: 1, arbitrary: fc.record({ do: kind('opened'), which }) },
    { weight: 1, arbitrary: fc.record({ do: kind('pass'), seconds }) },
    { weight: 1, arbitrary: fc.record({ do: kind('reset') }) },
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

/** A service under test, and the slots of its gateways. */
class Trial {
  readonly #scheduling: Scheduling;
  readonly #scheduler: Scheduler;
  readonly #flags: Flag[];
  #slots: number[] = [];

  constructor(scheduling: Scheduling, scheduler: Scheduler, flags: Flag[]) {
    this.#scheduling = scheduling;
    this.#scheduler = scheduler;
    this.#flags = flags;
  }

  /** The slots that are picked. */
  async run(ops: Op[]): Promise<(number | undefined)[]> {
    await this.#scheduling.begin(this.#scheduler, this.#flags);
    // In order but not awaited one by one: the host program answers a whole batch at once.
    return await Promise.all(ops.map((op) => this.#step(op)));
  }

  /** Does one step with the gateways that there are; a pick's slot is the answer. */
  async #step(op: Op): Promise<number | undefined> {
    if (op.do === 'pick') return await this.#scheduling.pick(op.client);
    if (op.do === 'insert') return void (await this.#insert(op.weight));
    if (op.do === 'pass') return void (await this.#scheduling.pass(op.seconds));
    if (op.do === 'reset') return void (await this.#reset());
    const slot = this.#slots[op.which % this.#slots.length];
    if (slot !== undefined) await this.#change(slot, op);
    return undefined;
  }

  /** The next slot that is free: it may be one that was removed. */
  async #insert(weight: number): Promise<void> {
    const slot = Math.max(0, ...this.#slots) + 1;
    if (this.#slots.length === maxGateways) return;
    this.#slots.push(slot);
    await this.#scheduling.insert(slot, { weight, address: gatewayAddress(slot) });
  }

  async #reset(): Promise<void> {
    const other = this.#scheduler === 'rr' ? 'lc' : 'rr';
    const away = this.#scheduling.setScheduler(other, []);
    await Promise.all([away, this.#scheduling.setScheduler(this.#scheduler, this.#flags)]);
  }

  async #change(slot: number, op: Extract<Op, { which: number }>): Promise<void> {
    if (op.do === 'weight') await this.#scheduling.setWeight(slot, op.weight);
    if (op.do === 'counts') await this.#scheduling.setCounts(slot, op.counts);
    if (op.do === 'down') await this.#scheduling.setDown(slot, op.down);
    if (op.do === 'load') await this.#scheduling.setLoad(slot, op.load);
    if (op.do === 'rtt') await this.#scheduling.setRtt(slot, op.microseconds);
    if (op.do === 'opened') await this.#scheduling.opened(slot, true);
    if (op.do !== 'remove') return;
    this.#slots = this.#slots.filter((known) => known !== slot);
    await this.#scheduling.remove(slot);
  }
}

describe('whatever is done to a service, the reference and the host choose alike', () => {
  const host = new SchedHost();
  after(() => host.stop());
  const ours = new HostScheduling(host);
  const reference = new ReferenceScheduling();

  for (const scheduler of schedulers) {
    const flags: Flag[] =
      scheduler === 'mh' ? ['mh-fallback', 'mh-port'] : ['sh-fallback', 'sh-port'];
    test(`with ${scheduler}`, async () => {
      const property = fc.asyncProperty(ops, fc.subarray(flags), async (ops, flags) => {
        const want = await new Trial(reference, scheduler, flags).run(ops);
        assert.deepEqual(await new Trial(ours, scheduler, flags).run(ops), want);
      });
      await fc.assert(property, { numRuns: scheduler === 'mh' ? 30 : 100 });
    });
  }
});
