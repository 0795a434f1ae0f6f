// What a service does with its tiers and without gateways: failback of persistent clients, last resort, and
// what a change of that reaches.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import { type GatewayOptions, type ServiceOptions, tiersOf } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const serve = (tiers: GatewayOptions[], options: ServiceOptions = {}): void =>
  bed.setService({ ...options, gateways: tiersOf(tiers) });

const drained = { weight: 0 };
const gatewayOf = (port: number): string => bed.direct(new Flow({ port }).up());

describe("a persistent client's next connection", () => {
  const persistent = (failback: 'stay' | 'new', tiers: GatewayOptions[]) =>
    serve(tiers, { persistence: 60, policy: { failback } });
  const open = (port: number): [string, string] => {
    const { verdict, mark } = bed.run('director', new Flow({ port }).up(), 1);
    return [verdict, bed.gatewayOf(mark)];
  };

  for (const failback of ['stay', 'new'] as const) {
    test(`stays on the lower tier while the first takes nothing (${failback})`, () => {
      persistent(failback, [drained, {}]);
      assert.deepEqual(open(1), ['NEW', gatewayAddress(2)]);
      assert.deepEqual(open(2), ['TEMPLATE', gatewayAddress(2)]);
      assert.equal(bed.counts(), '0/0 2/0');
    });

    test(`stays on the first tier (${failback})`, () => {
      persistent(failback, [{}, {}]);
      assert.deepEqual(open(1), ['NEW', gatewayAddress(1)]);
      assert.deepEqual(open(2), ['TEMPLATE', gatewayAddress(1)]);
    });
  }

  test('stays on the lower tier once the first takes connections again, with stay', () => {
    persistent('stay', [drained, {}]);
    open(1);
    persistent('stay', [{}, {}]);
    assert.deepEqual(open(2), ['TEMPLATE', gatewayAddress(2)]);
  });

  test('goes up once the first tier takes connections again, with new; its old ones stay', () => {
    persistent('new', [drained, {}]);
    const old = new Flow({ port: 1 });
    open(1);
    persistent('new', [{}, {}]);
    assert.deepEqual(open(2), ['NEW', gatewayAddress(1)]);
    assert.deepEqual(open(3), ['TEMPLATE', gatewayAddress(1)]);
    assert.equal(bed.direct(old.up('A')), gatewayAddress(2));
    assert.deepEqual(
      bed.service().gateways.map(({ persistent: templates }) => templates),
      [1, 0],
    );
  });

  test('goes up to a tier between', () => {
    persistent('new', [drained, drained, {}]);
    open(1);
    persistent('new', [drained, {}, {}]);
    assert.deepEqual(open(2), ['NEW', gatewayAddress(2)]);
  });

  test('goes down if its gateway is drained', () => {
    persistent('new', [{}, {}]);
    open(1);
    persistent('new', [drained, {}]);
    assert.deepEqual(open(2), ['NEW', gatewayAddress(2)]);
  });
});

describe('the last resort', () => {
  for (const [lastResort, verdict, gateway] of [
    ['main', 'NO_GATEWAY', 'none'],
    ['unreachable', 'UNREACHABLE', 'refused'],
    ['drop', 'DROPPED', '-'],
  ] as const)
    for (const [what, tiers] of [
      ['no gateway', []],
      ['drained gateways', [drained, drained]],
      ['a full one above a drained one', [{ upper: 1 }, drained]],
    ] as [string, GatewayOptions[]][])
      test(`${lastResort} is ${verdict} with ${what}, and remembers nothing`, () => {
        serve(tiers, { policy: { lastResort } });
        if (tiers[0]?.upper) gatewayOf(1);
        const before = bed.connections.length;
        const outcome = bed.run('director', new Flow({ port: 2 }).up(), 1);
        assert.deepEqual([outcome.verdict, bed.gatewayOf(outcome.mark)], [verdict, gateway]);
        assert.equal(bed.connections.length, before);
      });

  test('is not for what began elsewhere, nor for connections that live', () => {
    serve([{}], { policy: { lastResort: 'drop' } });
    const flow = new Flow();
    bed.direct(flow.up());
    serve([drained], { policy: { lastResort: 'drop' } });
    assert.equal(bed.run('director', flow.up('A'), 1).verdict, 'KNOWN');
    assert.equal(bed.run('director', new Flow({ port: 9 }).up('A'), 1).verdict, 'MIDSTREAM');
  });
});

describe('a change of policy', () => {
  const onDowns = (): number[] => {
    const { maps, settings } = bed.director;
    const mine = [...maps.slots.all(settings.slotsUsed).values()].filter(
      ({ fwmark, configured }) => fwmark === 1 && configured,
    );
    return mine.map(({ onDown }) => onDown);
  };

  test('is written, and turns go on', () => {
    bed.setService({ gateways: [[1], [2], [3]] });
    assert.equal(gatewayOf(1), gatewayAddress(3));
    bed.editService(() => ({ onDown: 'reset', failback: 'new', lastResort: 'unreachable' }));
    assert.deepEqual(onDowns(), [1, 1, 1]);
    const { onDown, failback, lastResort } = bed.service();
    assert.deepEqual([onDown, failback, lastResort], ['reset', 'new', 'unreachable']);
    assert.equal(gatewayOf(2), gatewayAddress(2));
  });

  test('reaches slots that a killed write left as they were', () => {
    bed.setService({ policy: { onDown: 'reset' }, gateways: [[1], [2]] });
    const { maps, settings } = bed.director;
    const [last] = [...maps.slots.all(settings.slotsUsed)]
      .filter(([, { fwmark, configured }]) => fwmark === 1 && configured)
      .slice(-1);
    maps.slots.set(last![0], { ...last![1], onDown: 0 });
    bed.editService(() => ({ onDown: 'reset' }));
    assert.deepEqual(onDowns(), [1, 1]);
  });

  test('keeps who must leave a gateway', () => {
    serve([{}, {}]);
    const { maps, settings } = bed.director;
    for (const [number, slot] of maps.slots.all(settings.slotsUsed))
      if (slot.fwmark === 1 && slot.configured) maps.slots.set(number, { ...slot, leaveS: 7 });
    serve([{ weight: 3 }, { tier: 2 }], { policy: { onDown: 'reset' } });
    const left = [...maps.slots.all(settings.slotsUsed).values()].filter(
      ({ fwmark, configured }) => fwmark === 1 && configured,
    );
    assert.deepEqual(
      left.map(({ leaveS }) => leaveS),
      [7, 7],
    );
  });
});
