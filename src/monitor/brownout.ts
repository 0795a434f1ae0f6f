// Loss and latency over the last rounds: a gateway that is not dead, but of no use.
//
// 2 % loss makes 4 losses in 20 probes now and then, so one bad window only makes doubt: a second one has
// to say the same. Any loss hastens the rounds, so that both windows take less time than a regular one.

import type { MonitorConfig } from '../model/config.ts';
import { gaugesOf, probeName } from './probe-kinds.ts';
import type { ProbeResult } from './types.ts';

/** `doubtful`: the second window is being filled; `brown`: down until a window is below `up`. */
export type BrownoutStage = 'fine' | 'doubtful' | 'brown';

/** A window that may decide something is filled in that time, or at the pace of a burst. */
const windowMs = 1000;

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

  /** Time to the next round while a window holds a loss; undefined: there is no hurry. */
  get hurryMs(): number | undefined {
    const { window, burstMs, loss } = this.#config;
    const isLossy = loss !== undefined && this.#best(countLost) > 0;
    return this.#stage === 'doubtful' || isLossy ? Math.min(burstMs, windowMs / window) : undefined;
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
    const problem = this.#stage === 'brown' ? '' : this.#problem();
    if (problem !== '') {
      this.#reason = problem;
      this.#enter(this.#stage === 'doubtful' || sure ? 'brown' : 'doubtful');
    } else if (this.#stage !== 'fine' && this.#isCalm()) this.#enter('fine');
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
    const lost = this.#lossPercent;
    if (loss && lost >= loss.down) return `loss ${Math.round(lost)} % (down from ${loss.down} %)`;
    const delay = this.#isFull() ? this.#best(averageRtt) : 0;
    if (latency && delay >= latency.down)
      return `latency ${Math.round(delay)} ms (down from ${latency.down} ms)`;
    return '';
  }

  #isCalm(): boolean {
    const { loss, latency } = this.#config;
    if (!this.#isFull()) return false;
    if (loss && this.#lossPercent >= loss.up) return false;
    return !latency || this.#best(averageRtt) < latency.up;
  }

  get #lossPercent(): number {
    return (100 * this.#best(countLost)) / this.#config.window;
  }

  #isFull(): boolean {
    const { quorum, window } = this.#config;
    const full = [...this.#gauges.values()].filter(({ length }) => length === window);
    return full.length >= Math.min(quorum, this.#gauges.size);
  }

  /**
   * As good as `quorum` probes have it at least: what only one host loses is that host's loss. Where
   * nothing at all is answered the rounds judge, and traffic can speak against them.
   */
  #best(measure: (samples: Sample[]) => number): number {
    const telling = [...this.#gauges.values()].filter((all) => countLost(all) < all.length);
    const best = telling.map(measure).sort((a, b) => a - b);
    return best[Math.min(this.#config.quorum, best.length) - 1] ?? 0;
  }
}

/** Those that are lost. */
const countLost = (samples: Sample[]): number => samples.filter(({ lost }) => lost).length;

function averageRtt(samples: Sample[]): number {
  const times = samples.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]));
  return times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length);
}
