// What is said of the tiers that did not take a connection.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Choice, explainTiers } from './tiers.ts';

const candidate = (tier: number, given: { refused?: string; chosen?: boolean } = {}) => ({
  ...{ gateway: `of ${tier}`, id: tier, tier, weight: 1, upper: 0, lower: 0 },
  ...{ active: 0, inactive: 0, refused: '', chosen: false },
  ...given,
});

const service: Choice['service'] = { scheduler: 'sh', failback: 'stay' };

const passed = (candidates: ReturnType<typeof candidate>[], reason = 'scheduler', of = service) =>
  explainTiers(candidates, { reason, service: of }).map((each) => `${each.tier}: ${each.passed}`);

describe('of tiers', () => {
  test('that were not asked it is said who takes the connection', () =>
    assert.deepEqual(passed([candidate(4), candidate(1, { chosen: true }), candidate(1)]), [
      '1: ',
      '1: ',
      '4: not asked: tier 1 takes it',
    ]));

  test('that were asked in vain, that of each gateway; or that the one that was picked is refused', () =>
    assert.deepEqual(
      passed([candidate(1, { refused: 'full' }), candidate(1), candidate(2, { chosen: true })]),
      ['1: ', '1: asked in vain: the one that sh picks is refused', '2: '],
    ));

  test('above a template it is said that its client stays', () =>
    assert.deepEqual(passed([candidate(1), candidate(2, { chosen: true })], 'template'), [
      '1: not asked: who is on tier 2 stays there',
      '2: ',
    ]));

  test('above a template that gives way they were asked', () => {
    const of: Choice['service'] = { scheduler: 'sh', failback: 'new' };
    assert.match(
      passed([candidate(1), candidate(2, { chosen: true })], 'template', of)[0] as string,
      /asked in vain/,
    );
  });

  test('nothing is said where nobody takes it', () =>
    assert.deepEqual(passed([candidate(1, { refused: 'full' }), candidate(2)]), ['1: ', '2: ']));
});
