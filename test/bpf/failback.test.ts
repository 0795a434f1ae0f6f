// Failback at work: a gateway is back, and connections of the lower tier leave it, those that began before
// at least. What is to be done follows from two states of what is applied.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { failBack, nextLeaveS } from '../../src/kernel/leave.ts';
import { readGatewayStates } from '../../src/kernel/read-state.ts';
import type { Applied } from '../../src/model/applied.ts';
import type { Failback } from '../../src/model/config.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { applied, config } from './configured.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import { type GatewayOptions, tiersOf } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.clear();
  }
});

const [fiber, dsl, lte] = [1, 2, 3].map((number) => gatewayAddress(number)) as [
  string,
  string,
  string,
];

/** fiber in the first tier, dsl in the second, lte in the third, as the kernel and the file have it. */
function serve(failback: Failback, tiers: GatewayOptions[] = [{}, {}, {}]): Applied {
  bed.setService({ policy: { onDown: 'reset', failback: 'new' }, gateways: tiersOf(tiers) });
  const states = readGatewayStates(bed.director, undefined);
  const idOf = (address: string) => states.find((each) => each.address === address)!.id;
  const ids = { 'fiber/4': idOf(fiber), 'dsl/4': idOf(dsl), 'lte/4': idOf(lte) };
  const [web] = config.services;
  const gateways = web!.gateways.map((each, i) => ({ ...each, tier: i + 1 }));
  const services = [{ ...web!, failback, gateways }];
  return { ...applied(ids), admin: {}, unavailable: {}, config: { ...config, services } };
}

const without = (state: Applied, ...names: string[]): Applied => ({
  ...state,
  unavailable: Object.fromEntries(names.map((name) => [`${name}/4`, 'no carrier'])),
});

/** What each tier is told, from the first: `-` nothing, else how many seconds ago its time was. */
function told(): string[] {
  const now = Number(process.hrtime.bigint() / 1_000_000_000n);
  const { maps, settings } = bed.director;
  const mine = [...maps.slots.all(settings.slotsUsed).values()].filter(
    ({ fwmark, configured }) => fwmark === 1 && configured,
  );
  return mine
    .sort((a, b) => a.tier - b.tier)
    .map(({ leaveS }) => (leaveS === 0 ? '-' : String(Math.floor((now - leaveS) / 5) * 5)));
}

/** They began so many seconds later than they did. */
const shift = (seconds: number): void =>
  bed.changeConnections((_, conn) => ({ ...conn, beganS: conn.beganS + seconds }));

const down = { weight: 0 };
const now: Failback = { kind: 'now' };

describe('with failback now', () => {
  test('the tiers below are told, and their connections leave with their next packet', () => {
    const away = serve(now, [down, {}, {}]);
    const [tcp, udp] = [new Flow(), new Flow({ protocol: 'udp' })];
    for (const flow of [tcp, udp]) assert.equal(bed.direct(flow.up()), dsl);
    failBack(bed.director, without(away, 'fiber'), serve(now));
    assert.deepEqual(told(), ['-', '0', '0']);
    assert.equal(bed.run('ingress', tcp.up('A')).verdict, 'RESET');
    const { verdict, mark } = bed.run('ingress', udp.up());
    assert.equal(verdict, 'MOVED');
    assert.equal(bed.direct(udp.up(), mark), fiber);
  });

  test('what came later because the first tier was full stays', () => {
    const state = serve(now, [{ upper: 1 }, {}, {}]);
    const flows = [1, 2].map((port) => new Flow({ port }));
    assert.deepEqual(
      flows.map((flow) => bed.direct(flow.up())),
      [fiber, dsl],
    );
    shift(5);
    failBack(bed.director, without(state, 'fiber'), state);
    for (const flow of flows) assert.equal(bed.run('ingress', flow.up('A')).verdict, 'KNOWN');
  });

  test('nobody leaves while the first tier can take none of them', () => {
    const away = serve(now, [down, {}, {}]);
    const flow = new Flow();
    bed.direct(flow.up());
    failBack(bed.director, without(away, 'fiber'), serve(now, [down, {}, {}]));
    assert.deepEqual(told(), ['-', '0', '0']);
    assert.equal(bed.run('ingress', flow.up('A')).verdict, 'KNOWN');
  });

  test('the tier between is told nothing by one of its own', () => {
    const state = serve(now);
    failBack(bed.director, without(state, 'fiber', 'dsl'), without(state, 'fiber'));
    assert.deepEqual(told(), ['-', '-', '0']);
  });

  test('a tier that becomes the best again is told nothing any more', () => {
    const state = serve(now);
    const back = failBack(bed.director, without(state, 'fiber'), state);
    assert.deepEqual(told(), ['-', '0', '0']);
    failBack(bed.director, back, without(back, 'fiber'));
    assert.deepEqual(told(), ['-', '-', '0']);
  });
});

describe('with failback drain', () => {
  const drain: Failback = { kind: 'drain', seconds: 60 };

  test('it waits beside what is applied, and is done when its time has come', () => {
    const state = serve(drain);
    const waiting = failBack(bed.director, without(state, 'fiber'), state);
    assert.deepEqual(told(), ['-', '-', '-']);
    const left = nextLeaveS(waiting);
    assert.ok(left !== undefined && left > 55 && left <= 60, String(left));
    assert.deepEqual(failBack(bed.director, waiting, waiting), waiting);
    const leaves = waiting.leaves.map((leave) => ({
      ...leave,
      beganS: leave.beganS - 60,
      dueS: leave.dueS - 60,
    }));
    const due = { ...waiting, leaves };
    const done = failBack(bed.director, due, due);
    assert.deepEqual(told(), ['-', '60', '60']);
    assert.deepEqual([done.leaves, nextLeaveS(done)], [[], undefined]);
  });
});

for (const kind of ['stay', 'new'] as const)
  test(`with failback ${kind} nobody is told`, () => {
    const state = serve({ kind });
    const { leaves } = failBack(bed.director, without(state, 'fiber'), state);
    assert.deepEqual([told(), leaves], [['-', '-', '-'], []]);
  });
