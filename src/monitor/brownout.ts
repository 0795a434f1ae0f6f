// Loss and latency over the last rounds: a gateway that is not dead, but of no use.
//
// 2 % loss makes 4 losses in 20 probes now and then, so one bad window only makes doubt: a second one,
// asked in burst, has to say the same. That also takes less time than one window of regular rounds.

import type { MonitorConfig } from '../model/config.ts';
import { gaugesOf, probeName } from './probe-kinds.ts';
import type { ProbeResult } from './types.ts';

/** `doubtful`: the second window is being filled; `brown`: down until a window is below `up`. */
export type BrownoutStage = 'fine' | 'doubtful' | 'brown';

interface Sample {
  lost: boolean;
  rttMs: number | null;
}

export class Brownout {
  readonly #config: MonitorConfig;
  /** The last results of each probe that measures. */
  readonly #gauges: Map<string, Sample[]>;
  #stage: BrownoutStage = 'fine';
  #reason = '';

  constructor(config: MonitorConfig) {
    this.#config = config;
    this.#gauges = new Map(gaugesOf(config).map((probe) => [probeName(probe), []]));
  }

  get measures(): boolean {
    const { loss, latency } = this.#config;
    return loss !== undefined || latency !== undefined;
  }

  get stage(): BrownoutStage {
    return this.#stage;
  }

  /** What was found last: `loss 32 % (down from 20 %)`. */
  get reason(): string {
    return this.#reason;
  }

  /** `sure`: there is doubt already. */
  add({ probe, outcome, rttMs }: ProbeResult, sure: boolean): void {
    const samples = this.#gauges.get(probeName(probe));
    if (!samples || outcome === 'void' || !this.measures) return;
    samples.push({ lost: outcome === 'silent', rttMs });
    if (samples.length > this.#config.window) samples.shift();
    this.#step(sure);
  }

  #step(sure: boolean): void {
    if (this.#stage === 'brown') {
      if (this.#isCalm()) this.#enter('fine');
      return;
    }
    const problem = this.#problem();
    if (problem !== '') {
      this.#reason = problem;
      this.#enter(this.#stage === 'doubtful' || sure ? 'brown' : 'doubtful');
    } else if (this.#stage === 'doubtful' && this.#isFull()) this.#enter('fine');
  }

  #enter(stage: BrownoutStage): void {
    this.#stage = stage;
    this.#clear();
  }

  /** After a silence that says nothing of loss; what was down for loss still has to show that it is over. */
  restart(): void {
    if (this.#stage === 'doubtful') this.#stage = 'fine';
    this.#clear();
  }

  #clear(): void {
    for (const samples of this.#gauges.values()) samples.length = 0;
  }

  /** Losses that are enough for a full window are enough before it is full. */
  #problem(): string {
    const { loss, latency } = this.#config;
    const lost = this.#best(lossOf(this.#config.window));
    if (loss && lost >= loss.down) return `loss ${Math.round(lost)} % (down from ${loss.down} %)`;
    const delay = this.#isFull() ? this.#best(averageRtt) : 0;
    if (latency && delay >= latency.down)
      return `latency ${Math.round(delay)} ms (down from ${latency.down} ms)`;
    return '';
  }

  #isCalm(): boolean {
    const { loss, latency, window } = this.#config;
    if (!this.#isFull()) return false;
    if (loss && this.#best(lossOf(window)) >= loss.up) return false;
    return !latency || this.#best(averageRtt) < latency.up;
  }

  #isFull(): boolean {
    return this.#best(({ length }) => this.#config.window - length) === 0;
  }

  /** As good as `quorum` probes have it at least: what only one host loses is that host's loss. */
  #best(measure: (samples: Sample[]) => number): number {
    const all = [...this.#gauges.values()].map(measure).sort((a, b) => a - b);
    return all[Math.min(this.#config.quorum, all.length) - 1] ?? 0;
  }
}

const lossOf =
  (window: number) =>
  (samples: Sample[]): number =>
    (samples.filter(({ lost }) => lost).length / window) * 100;

function averageRtt(samples: Sample[]): number {
  const times = samples.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]));
  return times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length);
}
