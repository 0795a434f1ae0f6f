// A service and its tiers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toService } from '../../test/bpf/service.ts';
import { numberTiers, splitTiers } from './tiers.ts';

const split = (...tiers: number[]): string[] =>
  splitTiers(toService({ gateways: tiers.map((tier, i) => [i + 1, { tier }]) })).map(
    ({ tier, tiers, gateways }) =>
      `${tier} of ${tiers}: ${gateways.map(({ address }) => address.split('.')[3])}`,
  );

describe('a service', () => {
  test('of one tier is that', () => assert.deepEqual(split(0, 0), ['0 of 1: 2,1']));
  test('without gateways has its first tier', () => assert.deepEqual(split(), ['0 of 1: ']));
  test('has its gateways in the order of each tier', () =>
    assert.deepEqual(split(1, 0, 1, 0), ['0 of 2: 4,2', '1 of 2: 3,1']));
  test('has no tier between that nobody is in', () =>
    assert.deepEqual(split(3), ['0 of 4: ', '3 of 4: 1']));
  test('keeps everything else in each', () => {
    const service = toService({ gateways: [[1], [2, { tier: 1 }]], scheduler: 'mh' });
    for (const { gateways: _, tier: __, tiers: ___, ...rest } of splitTiers(service)) {
      const { gateways: ____, ...same } = service;
      assert.deepEqual(rest, same);
    }
  });
});

test('the tiers of a file are counted from 0, without gaps', () => {
  assert.deepEqual(
    [...numberTiers([5, 1, 8, 1])],
    [
      [1, 0],
      [5, 1],
      [8, 2],
    ],
  );
});
