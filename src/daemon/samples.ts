// What packets told of gateways since they were asked last.

import type { Director } from '../kernel/director.ts';
import { readEvidence } from '../kernel/evidence.ts';
import { type TimedReading, toSample } from '../monitor/sampler.ts';
import type { EvidenceSample } from '../monitor/types.ts';

export class Samples {
  #before = new Map<number, TimedReading>();

  /** at: ms of a clock that never jumps. */
  take(director: Director, ids: readonly number[], at: number): Map<number, EvidenceSample> {
    const now = new Map(
      [...readEvidence(director, ids)].map(([id, reading]) => [id, { at, reading }]),
    );
    const samples = [...now].flatMap(([id, reading]) => {
      const before = this.#before.get(id);
      return before ? [[id, toSample(before, reading)] as const] : [];
    });
    this.#before = now;
    return new Map(samples);
  }
}
