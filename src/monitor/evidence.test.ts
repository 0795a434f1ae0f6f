// What traffic says, sample by sample.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Delays, followDelay } from './delay.ts';
import { Traffic } from './evidence.ts';
import type { EvidenceSample } from './types.ts';

const nothing = {
  ...{ syns: 0, synRepeats: 0, synAnswers: 0, asks: 0, askAnswers: 0, unreachables: 0 },
  ...{ bytesUp: 0, bytesDown: 0, rttMs: null },
};

/** Samples each 100 ms. */
function traffic(...samples: Partial<EvidenceSample>[]): Traffic {
  const traffic = new Traffic(0);
  for (const [i, sample] of samples.entries())
    traffic.add({ at: (i + 1) * 100, ...nothing, ...sample });
  return traffic;
}

describe('doubt needs', () => {
  test('five opening packets, of whatever kind, that had 150 ms', () => {
    const first = { syns: 2, synRepeats: 1, asks: 2 };
    assert.equal(traffic(first).suspicion, '');
    assert.equal(traffic(first, {}).suspicion, 'no answer to 5 new connections in 200 ms');
    assert.equal(traffic({ ...first, syns: 1 }, {}, {}).suspicion, '');
    assert.equal(traffic({ syns: 4 }, { syns: 1 }).suspicion, '');
  });

  test('four times as long as answers took so far', () => {
    const answer = { synAnswers: 1, rttMs: 100 };
    assert.equal(traffic(answer, { syns: 9 }, {}, {}).suspicion, '');
    assert.notEqual(traffic(answer, { syns: 9 }, {}, {}, {}).suspicion, '');
  });

  test('packets of one time: each minute one is nothing', () => {
    const slow = Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? { syns: 1 } : {}));
    assert.equal(traffic(...slow).suspicion, '');
  });

  test('twenty of them while bytes come in', () => {
    const few = { syns: 9, bytesDown: 1500 };
    assert.equal(traffic(few, few, {}, {}).suspicion, '');
    assert.notEqual(traffic(few, few, few, few, {}).suspicion, '');
  });
});

test('an answer ends the doubt, and errors are no answer', () => {
  const errors = { unreachables: 1, bytesDown: 56 };
  assert.notEqual(traffic({ syns: 9 }, {}, errors).suspicion, '');
  assert.equal(traffic({ syns: 9 }, {}, { askAnswers: 1 }).suspicion, '');
  assert.equal(traffic(errors).works(0), false);
});

test('delays rise at once and fall slowly', () => {
  assert.equal(followDelay(undefined, 20), 20);
  assert.equal(followDelay(20, 500), 500);
  assert.equal(followDelay(500, 20), 440);
  const delays = new Delays();
  assert.equal(delays.patienceMs('ping'), undefined);
  delays.learn('ping', 10);
  assert.equal(delays.patienceMs('ping'), 150);
  delays.learn('ping', 100);
  assert.equal(delays.patienceMs('ping'), 400);
});
