// Two readings of evidence make one sample.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEvidence } from '../../test/states.ts';
import type { EvidenceReading } from '../model/evidence.ts';
import { toSample } from './sampler.ts';

const reading = (given: Partial<EvidenceReading> = {}): EvidenceReading => ({
  ...noEvidence,
  ...{ bytesUp: 0, bytesDown: 0 },
  ...given,
});
const delays = (count: number): number[] => noEvidence.delays.map((_, i) => (i === 14 ? count : 0));

const before = reading({
  ...{ syns: 100, synRepeats: 5, synAnswers: 90, asks: 40, askAnswers: 30, unreachables: 2 },
  ...{ delays: delays(80), delaysUs: 2_000_000, bytesUp: 1000, bytesDown: 5000 },
});

test('a sample is what came between two readings', () => {
  const now = reading({
    ...{ syns: 110, synRepeats: 6, synAnswers: 94, asks: 42, askAnswers: 31, unreachables: 5 },
    ...{ delays: delays(84), delaysUs: 2_080_000, bytesUp: 1500, bytesDown: 5001 },
  });
  assert.deepEqual(toSample({ at: 100, reading: before }, { at: 200, reading: now }), {
    ...{ at: 200, syns: 10, synRepeats: 1, synAnswers: 4, asks: 2, askAnswers: 1 },
    ...{ unreachables: 3, bytesUp: 500, bytesDown: 1, rttMs: 20 },
  });
});

test('a sample without answers knows no time', () => {
  const sample = toSample({ at: 100, reading: before }, { at: 200, reading: before });
  assert.deepEqual([sample.rttMs, sample.syns, sample.bytesDown], [null, 0, 0]);
});

test('of counters that began anew all came since', () => {
  const now = reading({ syns: 3, synAnswers: 2, delays: delays(2), delaysUs: 50_000, bytesUp: 60 });
  const sample = toSample({ at: 100, reading: before }, { at: 200, reading: now });
  assert.deepEqual(
    [sample.syns, sample.synAnswers, sample.asks, sample.bytesUp, sample.bytesDown, sample.rttMs],
    [3, 2, 0, 60, 0, 25],
  );
});
