// How long a gateway that flaps is held back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Damping } from './damping.ts';

const usual = { first: 1000, most: 60_000 };

/** The hold-down after each time that it was up for so long. */
function holds(ups: number[], hold = usual): number[] {
  const damping = new Damping(hold);
  let at = 0;
  damping.wentDown(at);
  damping.cameUp(at);
  return ups.map((up) => {
    at += up;
    damping.wentDown(at);
    const { holdMs } = damping;
    at += holdMs;
    damping.cameUp(at);
    return holdMs;
  });
}

test('the first time it is `first`, though it was up for a moment only', () => {
  const damping = new Damping(usual);
  damping.wentDown(1);
  assert.equal(damping.holdMs, 1000);
});

test('each relapse doubles it, up to `most`', () => {
  const expected = [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000];
  assert.deepEqual(holds(Array(8).fill(100)), expected);
});

test('each `most` that it stays up takes one doubling back', () => {
  assert.deepEqual(holds([1, 1, 1, 60_000, 180_000, 1]), [2000, 4000, 8000, 4000, 1000, 2000]);
});

test('one duration is always so long, and none holds nothing', () => {
  assert.deepEqual(holds([1, 1, 9000], { first: 5000, most: 5000 }), [5000, 5000, 5000]);
  assert.deepEqual(holds([0, 0, 9000], { first: 0, most: 0 }), [0, 0, 0]);
});

test('it is never out of bounds, and a relapse never shortens it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200_000)), (ups) => {
      let before = 0;
      for (const [i, ms] of holds(ups).entries()) {
        assert.ok(ms >= usual.first && ms <= usual.most);
        if ((ups[i] ?? 0) < usual.most) assert.ok(ms >= before);
        before = ms;
      }
    }),
  );
});
