// Watches all gateways: gives each one's verdict what packets, links, neighbours and probes tell, and
// asks what it wants to know. One timer for all; what is found goes to `changed` at once.

import { isDeepStrictEqual } from 'node:util';
import { isDown } from '../model/health.ts';
import type { Transition } from './judge.ts';
import { monitorOf } from './probe-kinds.ts';
import type { Question, Round } from './round.ts';
import type { EvidenceSample, ProbeResult } from './types.ts';
import { Verdict } from './verdict.ts';
import type { WatchedGateway } from './watched.ts';

export interface MonitorParts {
  /** Milliseconds of a clock that never jumps. */
  now: () => number;
  /** Asks all at once, each by the target's own way; answers may come when the signal is aborted. */
  ask: (
    questions: Question[],
    gateway: WatchedGateway,
    answered: (result: ProbeResult) => void,
    signal: AbortSignal,
  ) => void;
  /** What packets told since it was asked last, by id; who was not asked before is left out. */
  sample: (ids: number[], at: number) => Map<number, EvidenceSample>;
  changed: (gateway: WatchedGateway, transition: Transition) => void;
}

/** Packets are asked so often. */
export const sampleMs = 100;
/** While something is suspect, or waits to be, sooner. */
const leastMs = 5;

interface Watch {
  gateway: WatchedGateway;
  verdict: Verdict;
  /** Ends its probes. */
  over: AbortController;
}

export class Monitor {
  readonly #parts: MonitorParts;
  readonly #watches = new Map<string, Watch>();
  #timer: NodeJS.Timeout | undefined;
  #sampledAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  /** Whether it takes no new connection, by gatewayKey; undefined for one that nobody watches. */
  isDown(key: string): boolean | undefined {
    const watch = this.#watches.get(key);
    return watch && isDown(watch.verdict.health);
  }

  get gateways(): WatchedGateway[] {
    return [...this.#watches.values()].map(({ gateway }) => gateway);
  }

  /** Those to be watched from now on; one whose monitor changed begins anew with the health that it has. */
  update(gateways: readonly WatchedGateway[]): void {
    const wanted = new Set(gateways.map(({ key }) => key));
    for (const [key, watch] of this.#watches) if (!wanted.has(key)) this.#drop(key, watch);
    const at = this.#parts.now();
    for (const gateway of gateways) {
      const known = this.#watches.get(gateway.key);
      const same = known && isDeepStrictEqual(known.gateway.config, gateway.config);
      const watch = same ? known : this.#begin(gateway, known, at);
      watch.gateway = gateway;
      watch.verdict.link(at, gateway.problem);
      this.#tell(watch);
    }
    this.#run();
  }

  /** What a link can't do any more; that it can again is said by update(). */
  linkFailed(link: string, problem: string): void {
    const at = this.#parts.now();
    for (const watch of this.#watches.values()) {
      if (watch.gateway.target.link !== link) continue;
      watch.verdict.link(at, problem);
      this.#tell(watch);
    }
    this.#arm();
  }

  neighbour(link: string, address: string, fails: boolean): void {
    const at = this.#parts.now();
    for (const watch of this.#watches.values()) {
      const { target } = watch.gateway;
      if (target.link !== link || target.nextHop !== address) continue;
      watch.verdict.neighbour(at, fails);
      this.#tell(watch);
    }
    this.#run();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const [key, watch] of this.#watches) this.#drop(key, watch);
  }

  #begin(gateway: WatchedGateway, known: Watch | undefined, at: number): Watch {
    known?.over.abort();
    const start = known?.verdict.health ?? gateway.start;
    const config = monitorOf(gateway.config, gateway.family);
    const verdict = new Verdict(config, at, start);
    const watch = { gateway, verdict, over: new AbortController() };
    this.#watches.set(gateway.key, watch);
    return watch;
  }

  #drop(key: string, { over }: Watch): void {
    over.abort();
    this.#watches.delete(key);
  }

  #run(): void {
    if (this.#closed) return;
    this.#look();
    this.#arm();
  }

  /** What is told may make the next look urgent. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#watches.size === 0) return;
    const at = this.#parts.now();
    const wakes = [...this.#watches.values()].map(({ verdict }) => verdict.wakeAt);
    const next = Math.min(this.#sampledAt + sampleMs, ...wakes);
    this.#timer = setTimeout(() => this.#run(), Math.max(leastMs, next - at));
  }

  #look(): void {
    const at = this.#parts.now();
    if (at >= this.#sampledAt + sampleMs) this.#sample(at);
    for (const watch of this.#watches.values()) {
      const round = watch.verdict.due(at);
      this.#tell(watch);
      if (round) this.#ask(watch, round);
    }
  }

  #sample(at: number): void {
    this.#sampledAt = at;
    const samples = this.#parts.sample(
      this.gateways.map(({ id }) => id),
      at,
    );
    for (const { gateway, verdict } of this.#watches.values()) {
      const sample = samples.get(gateway.id);
      if (sample) verdict.evidence(sample);
    }
  }

  #ask(watch: Watch, round: Round): void {
    const { verdict, over, gateway } = watch;
    const answered = (result: ProbeResult): void => {
      if (over.signal.aborted) return;
      verdict.result(this.#parts.now(), round.number, result);
      this.#tell(watch);
      this.#arm();
    };
    this.#parts.ask(round.questions, gateway, answered, over.signal);
  }

  #tell(watch: Watch): void {
    for (const transition of watch.verdict.takeTransitions())
      this.#parts.changed(watch.gateway, transition);
  }
}
