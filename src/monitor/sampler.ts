// What packets told between two readings of a gateway's evidence.

import type { EvidenceReading } from '../model/evidence.ts';
import type { EvidenceSample } from './types.ts';

export interface TimedReading {
  /** When it was read; ms of a clock that never jumps. */
  at: number;
  reading: EvidenceReading;
}

const counters = [
  ...(['syns', 'synRepeats', 'synAnswers', 'asks', 'askAnswers', 'unreachables'] as const),
  ...(['delaysUs', 'bytesUp', 'bytesDown'] as const),
];

const count = (delays: readonly number[]): number => delays.reduce((sum, each) => sum + each, 0);

/** Another director counts from 0: all that it counted came since. */
const beganAnew = (before: EvidenceReading, now: EvidenceReading): boolean =>
  counters.some((name) => now[name] < before[name]);

export function toSample(before: TimedReading, { at, reading: now }: TimedReading): EvidenceSample {
  const from = beganAnew(before.reading, now) ? undefined : before.reading;
  const since = (name: (typeof counters)[number]): number => now[name] - (from?.[name] ?? 0);
  const answers = count(now.delays) - count(from?.delays ?? []);
  return {
    at,
    syns: since('syns'),
    synRepeats: since('synRepeats'),
    synAnswers: since('synAnswers'),
    asks: since('asks'),
    askAnswers: since('askAnswers'),
    unreachables: since('unreachables'),
    bytesUp: since('bytesUp'),
    bytesDown: since('bytesDown'),
    // Packets go on while a reading is taken: a sum of times without its time, or the other way round.
    rttMs: answers > 0 ? since('delaysUs') / answers / 1000 : null,
  };
}
