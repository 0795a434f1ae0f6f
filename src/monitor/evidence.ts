// What packets that pass say of a gateway: that it works, or that nobody answers any more.

import { followDelay, patienceMs } from './delay.ts';
import type { EvidenceSample } from './types.ts';

/** So many opening packets without an answer are no accident where nothing else comes in either. */
const fewOpenings = 5;
/** And so many where bytes still come in: the way there may be dead and the way back alive. */
const manyOpenings = 20;
/** Errors that say there is no way. */
const fewErrors = 5;
/** How long an opening packet counts after its time: a client that tries each minute proves nothing. */
const memoryMs = 1000;

/** Opening packets (SYNs, first packets of other protocols) since something came in. */
class Openings {
  #samples: { from: number; count: number }[] = [];

  add(from: number, count: number): void {
    if (count > 0) this.#samples.push({ from, count });
  }

  forget(before: number): void {
    this.#samples = this.#samples.filter(({ from }) => from >= before);
  }

  clear(): void {
    this.#samples = [];
  }

  /** Those that were sent until then. */
  count(until: number): number {
    return this.#samples.reduce((sum, { from, count }) => sum + (from <= until ? count : 0), 0);
  }

  describe(at: number): string {
    const since = Math.round(at - (this.#samples[0]?.from ?? at));
    return `no answer to ${this.count(at)} new connections in ${since} ms`;
  }
}

export class Traffic {
  /** Where the next sample begins. */
  #from: number;
  #heardAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #askAnsweredAt = Number.NEGATIVE_INFINITY;
  #rttMs: number | undefined;
  /** Since anything came in, and since an opening packet was answered. */
  readonly #unheard = new Openings();
  readonly #unanswered = new Openings();
  #errors = 0;
  #suspicion = '';
  #excused = false;

  constructor(at: number) {
    this.#from = at;
  }

  add(sample: EvidenceSample): void {
    const { at, syns, synRepeats, asks, synAnswers, askAnswers, unreachables } = sample;
    const opened = syns + synRepeats + asks;
    const answered = synAnswers + askAnswers > 0;
    // An error is made of bytes, too.
    const heard = answered || (sample.bytesDown > 0 && unreachables === 0);
    if (sample.rttMs !== null) this.#rttMs = followDelay(this.#rttMs, sample.rttMs);
    if (heard) this.#heardAt = at;
    if (answered) this.#answeredAt = at;
    if (askAnswers > 0) this.#askAnsweredAt = at;
    this.#errors = heard ? 0 : this.#errors + unreachables;
    this.#count(this.#unheard, { at, opened, over: heard });
    this.#count(this.#unanswered, { at, opened, over: answered });
    this.#from = at;
    this.#suspicion = this.#suspect(at);
    if (this.#suspicion === '') this.#excused = false;
  }

  #count(openings: Openings, sample: { at: number; opened: number; over: boolean }): void {
    if (sample.over) openings.clear();
    else openings.add(this.#from, sample.opened);
    openings.forget(sample.at - this.#patienceMs - memoryMs);
  }

  get #patienceMs(): number {
    return patienceMs(this.#rttMs ?? 0);
  }

  #suspect(at: number): string {
    if (this.#errors >= fewErrors) return `${this.#errors} errors say that there is no way`;
    const ripe = at - this.#patienceMs;
    if (this.#unheard.count(ripe) >= fewOpenings) return this.#unheard.describe(at);
    return this.#unanswered.count(ripe) >= manyOpenings ? this.#unanswered.describe(at) : '';
  }

  /** The time before tells nothing. */
  restart(at: number): void {
    this.#from = Math.max(this.#from, at);
    this.#unheard.clear();
    this.#unanswered.clear();
    this.#errors = 0;
    this.#suspicion = '';
    this.#excused = false;
  }

  /** Probes found nothing: the same silence is no reason to ask again, until something came in. */
  excuse(): void {
    this.#excused = this.#suspicion !== '';
  }

  /** Why the gateway may be dead; '' = no reason. */
  get suspicion(): string {
    return this.#excused ? '' : this.#suspicion;
  }

  /** Something came in since then, and nothing speaks against it. */
  works(since: number): boolean {
    return this.#heardAt > since && this.#suspicion === '';
  }

  /** The same, of answers alone: they prove that packets go out, too. */
  answers(since: number): boolean {
    return this.#answeredAt > since && this.#suspicion === '';
  }

  /** The same, of answers to what is no TCP. */
  answersAsks(since: number): boolean {
    return this.#askAnsweredAt > since && this.#suspicion === '';
  }
}
