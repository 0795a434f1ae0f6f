import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trouble } from '../../src/lab/client-hold.ts';
import { judgeHeld, lastFailed, longestGap, quantile } from './figures.ts';

const request = (start: number, error = '') => ({ start, end: start + 1, seen: '', error });

test('the last connection that failed is of those since the fault, in whatever order they ended', () => {
  const requests = [request(90, 'x'), request(120, 'x'), request(110, 'x'), request(130)];
  assert.equal(lastFailed(requests, 100), 120);
  assert.equal(lastFailed(requests, 121), undefined);
});

test('a gap begins with the last answer before the fault, and lasts until one comes or nobody looks', () => {
  const answers = [80, 95, 300, 310].map((at) => ({ at, seen: '' }));
  assert.equal(longestGap(answers, 100, 400), 205);
  assert.equal(longestGap(answers, 100, 1000), 690);
  assert.equal(longestGap([], 100, 400), 300);
});

const trouble = (before: string, asked: number, answered: number | null): Trouble => ({
  ...{ before, asked, answered },
  ...{ failed: null, error: '', after: '' },
});

test('held connections are judged by their link and by when they noticed', () => {
  const span = { at: 100, healed: 1000, up: 1200 };
  const troubles = [
    trouble('dead', 50, 400),
    trouble('dead', 200, 250),
    trouble('dead', 300, null),
    trouble('dead', 300, 1100),
    trouble('well', 500, 600),
    trouble('well', 1300, 1350),
  ];
  const { waitsMs, disturbed, movedBack } = judgeHeld(troubles, 'dead', span);
  assert.deepEqual(waitsMs, [300, 50, Infinity, Infinity]);
  assert.deepEqual([disturbed, movedBack], [1, 1]);
});

test('a quantile is a value that there was; what never came is the largest', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([1, Infinity, 2], 0.99), Infinity);
  assert.equal(quantile([7], 0), 7);
  assert.throws(() => quantile([], 0.5));
});
