// Tiers: a lower one is asked only where all above have nobody to take a connection.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { schedulerNames } from '../../src/kernel/read-table.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow, flows } from './flow.ts';
import { type GatewayOptions, type ServiceOptions, tiersOf } from './service.ts';

const bed = openBed({ gateways: 8 });
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
const gatewayOf = (port: number, fwmark = 1): string => bed.direct(new Flow({ port }).up(), fwmark);
const setWeights = (...weights: number[]): void =>
  bed.editService(({ gateways }) => ({
    gateways: gateways.map((one, i) => ({ ...one, weight: weights[i] ?? one.weight })),
  }));
/** The entries of a service in the kernel, by tier: places of their lists, and how many tiers they tell. */
const entries = (): string[] =>
  [...bed.director.maps.services()]
    .filter(([{ fwmark }]) => fwmark === 1)
    .sort(([a], [b]) => a.tier - b.tier)
    .map(([{ tier }, { gatewayCount, tiers }]) => `${tier}: ${gatewayCount} of ${tiers}`);

describe('with every scheduler', () => {
  for (const scheduler of Object.values(schedulerNames)) {
    test(`${scheduler}: the first tier that has a gateway takes a connection`, () => {
      serve([{}, {}, {}], { scheduler });
      assert.equal(gatewayOf(1), gatewayAddress(1));
      setWeights(0);
      assert.equal(gatewayOf(2), gatewayAddress(2));
      setWeights(0, 0);
      assert.equal(gatewayOf(3), gatewayAddress(3));
      setWeights(0, 0, 0);
      assert.equal(gatewayOf(4), 'none');
      setWeights(1);
      assert.equal(gatewayOf(5), gatewayAddress(1));
      assert.equal(bed.counts(), '2/0 1/0 1/0');
    });
  }
});

describe('a tier', () => {
  test('takes over while the one above is full', () => {
    serve([{ upper: 2 }, {}]);
    assert.deepEqual(
      [1, 2, 3].map((port) => gatewayOf(port)),
      [1, 1, 2].map((n) => gatewayAddress(n)),
    );
    bed.expire(new Flow({ port: 1 }));
    assert.equal(gatewayOf(4), gatewayAddress(1));
  });

  test('takes what the scheduler above refuses, though another gateway there would take it', () => {
    const full = { upper: 1 };
    const gateways: ServiceOptions['gateways'] = [
      [1, full],
      [2, full],
      [3, { tier: 1 }],
    ];
    bed.setService({ scheduler: 'sh', gateways });
    assert.notEqual(gatewayOf(1), gatewayAddress(3));
    assert.equal(gatewayOf(2), gatewayAddress(3));
    bed.setService({ scheduler: 'sh', schedulerFlags: ['sh-fallback'], gateways });
    assert.notEqual(gatewayOf(3), gatewayAddress(3));
  });

  test('schedules by itself: its turns go on where they were', () => {
    bed.setService({
      gateways: [
        [1, { weight: 0 }],
        [2, { tier: 1 }],
        [3, { tier: 1 }],
        [4, { tier: 1 }],
      ],
    });
    const turn = (port: number) => [port, port + 1].map((each) => gatewayOf(each));
    assert.deepEqual(
      turn(1),
      [4, 3].map((n) => gatewayAddress(n)),
    );
    bed.editService(({ gateways }) => ({
      gateways: gateways.map((one) => ({ ...one, weight: 1 })),
    }));
    assert.equal(gatewayOf(3), gatewayAddress(1));
    setWeights(0);
    assert.deepEqual(
      turn(4),
      [2, 4].map((n) => gatewayAddress(n)),
    );
  });

  test('beyond one that nobody is in is asked', () => {
    bed.setService({ gateways: [[3, { tier: 2 }]] });
    assert.deepEqual(entries(), ['0: 0 of 3', '2: 1 of 3']);
    assert.equal(gatewayOf(1), gatewayAddress(3));
  });

  test('may be the eighth', () => {
    serve([drained, drained, drained, drained, drained, drained, drained, {}]);
    assert.equal(gatewayOf(1), gatewayAddress(8));
    assert.equal(entries().length, abi.limits.MAX_TIERS);
  });

  test('that loses its gateways goes, with its entry', () => {
    serve([{}, {}, {}]);
    assert.deepEqual(entries(), ['0: 1 of 3', '1: 1 of 3', '2: 1 of 3']);
    serve([{}, {}]);
    assert.deepEqual(entries(), ['0: 1 of 2', '1: 1 of 2']);
    bed.clearServices();
    assert.deepEqual(entries(), []);
  });

  test('is what the table is read with', () => {
    serve([{}, { weight: 5 }], {
      policy: { onDown: 'reschedule', failback: 'new', lastResort: 'drop' },
    });
    const { gateways, onDown, failback, lastResort } = bed.service();
    assert.deepEqual(
      gateways.map(({ address, tier, weight }) => [address, tier, weight]),
      [
        [gatewayAddress(1), 0, 1],
        [gatewayAddress(2), 1, 5],
      ],
    );
    assert.deepEqual([onDown, failback, lastResort], ['reschedule', 'new', 'drop']);
  });
});

describe('a gateway that goes to another tier', () => {
  const tiers = (): [string, number][] =>
    bed.service().gateways.map(({ address, tier }) => [address, tier]);

  for (const scheduler of ['wlc', 'wrr', 'mh', 'lblcr'])
    test(`keeps its connections and counters with ${scheduler}, and is asked there`, () => {
      serve([{}, {}], { scheduler });
      const [first, second, third] = flows(3) as [Flow, Flow, Flow];
      assert.equal(bed.direct(first.up()), gatewayAddress(1));
      const { totals } = bed.service().gateways[0]!;
      serve([{ tier: 1 }, { tier: 0 }], { scheduler });
      assert.deepEqual(tiers(), [
        [gatewayAddress(2), 0],
        [gatewayAddress(1), 1],
      ]);
      const moved = bed.run('director', first.up('A'), 1);
      assert.deepEqual([moved.verdict, bed.gatewayOf(moved.mark)], ['KNOWN', gatewayAddress(1)]);
      assert.equal(bed.direct(second.up()), gatewayAddress(2));
      assert.equal(bed.counts(), '1/0 1/0');
      assert.equal(bed.service().gateways[1]!.totals.connections, totals.connections);
      bed.editService(({ gateways: [head, ...rest] }) => ({
        gateways: [{ ...head!, weight: 0 }, ...rest],
      }));
      assert.equal(bed.direct(third.up()), gatewayAddress(1));
    });

  test('keeps the share that mh gave it, though it is drained', () => {
    serve([{ weight: 3 }, {}], { scheduler: 'mh' });
    setWeights(0);
    serve([{ tier: 1, weight: 0 }, { tier: 0 }], { scheduler: 'mh' });
    const { maps, settings } = bed.director;
    const slots = [...maps.slots.all(settings.slotsUsed).values()].filter(
      ({ fwmark, configured }) => fwmark === 1 && configured,
    );
    assert.deepEqual(
      slots.map(({ tier, weight, lastWeight }) => [tier, weight, lastWeight]).sort(),
      [
        [0, 1, 1],
        [1, 0, 3],
      ],
    );
  });

  test('is forgotten by lblc in the tier that it had', () => {
    bed.setService({ scheduler: 'lblc', gateways: [[1], [2], [3, { tier: 1 }]] });
    assert.equal(gatewayOf(1), gatewayAddress(2));
    bed.setService({ scheduler: 'lblc', gateways: [[1], [2, { tier: 1 }], [3, { tier: 1 }]] });
    assert.equal(gatewayOf(2), gatewayAddress(1));
  });

  test('leaves a killed write behind that the next one finishes', () => {
    serve([{}, {}]);
    assert.equal(gatewayOf(1), gatewayAddress(1));
    // In both tiers, as while they change.
    const { maps } = bed.director;
    const [, first] = [...maps.services()].find(
      ([{ fwmark, tier }]) => fwmark === 1 && tier === 0,
    )!;
    const twice = bed.service().gateways[0]!;
    assert.equal(first.gatewayCount, 1);
    bed.editService(({ gateways }) => ({ gateways: [...gateways, { ...twice, tier: 1 }] }));
    assert.deepEqual(entries(), ['0: 1 of 2', '1: 2 of 2']);
    serve([{ tier: 1 }, { tier: 0 }]);
    assert.deepEqual(entries(), ['0: 1 of 2', '1: 1 of 2']);
    assert.equal(gatewayOf(2), gatewayAddress(2));
    assert.equal(bed.counts(), '1/0 1/0');
  });
});
