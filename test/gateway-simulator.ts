// A gateway with traffic and hosts to probe, in virtual time, for tests of src/monitor/verdict.ts. It is driven as
// the daemon does: due() when it asks for it, evidence each 100 ms.

import type { MonitorConfig, ProbeConfig } from '../src/model/config.ts';
import { defaultMonitor } from '../src/model/monitor.ts';
import type { Transition } from '../src/monitor/judge.ts';
import { monitorOf } from '../src/monitor/probe-kinds.ts';
import type { EvidenceSample, ProbeResult } from '../src/monitor/types.ts';
import { Verdict } from '../src/monitor/verdict.ts';

/** What the way beyond the link is like. */
export interface World {
  /** Of packets, each way alike. */
  delayMs: number;
  /** So much later at the most. */
  jitterMs: number;
  /** Part of questions that stay unanswered, 0 to 1. */
  loss: number;
  /** Nothing comes back. */
  isDead: boolean;
  /** Only what is sent is lost: the other side still sends bytes. */
  isDeaf: boolean;
  /** Probes that are answered by nobody, though the way is fine. */
  deadHosts: ProbeConfig['kind'][];
  /** Somebody else answers http. */
  isPortal: boolean;
  /** Probes can't be asked. */
  isVoid: boolean;
  /** New connections a second; bytes come while there are any. */
  openings: number;
  /** New connections a second to addresses that nobody has. */
  scans: number;
  /** Bytes come in without new connections. */
  streams: boolean;
}

export const fine: World = {
  delayMs: 20,
  jitterMs: 0,
  loss: 0,
  isDead: false,
  isDeaf: false,
  deadHosts: [],
  isPortal: false,
  isVoid: false,
  openings: 0,
  scans: 0,
  streams: false,
};

export const ping: ProbeConfig = { kind: 'ping', address: '198.51.100.10' };
export const dns: ProbeConfig = {
  kind: 'dns',
  address: '198.51.100.53',
  port: 53,
  name: 'example.com',
};
export const http: ProbeConfig = {
  kind: 'http',
  url: 'http://example.com/',
  status: [204],
  body: '',
};

export const withPing: MonitorConfig = { ...defaultMonitor, probes: [ping] };

/** Numbers in [0, 1) that are the same for the same seed (xorshift). */
function random(seed: number): () => number {
  let state = (seed * 2654435761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const evidenceMs = 100;

interface Answer {
  at: number;
  round: number;
  result: ProbeResult;
  timeoutMs: number;
}

const silent = (result: ProbeResult, timeoutMs: number): ProbeResult => ({
  ...result,
  outcome: 'silent',
  rttMs: null,
  detail: `no answer in ${timeoutMs} ms`,
});

export class Simulator {
  readonly verdict: Verdict;
  readonly transitions: Transition[] = [];
  /** When each round was begun, and what was asked. */
  readonly rounds: { at: number; probes: ProbeConfig[]; timeoutMs: number }[] = [];
  world: World;
  now = 0;
  #stoppedUntil = 0;
  #awaited: Answer[] = [];
  #nextEvidence = evidenceMs;
  #opened = 0;
  #lastOpened = 0;
  readonly #random: () => number;

  constructor(config: MonitorConfig, world: Partial<World> = {}, seed = 1) {
    this.verdict = new Verdict(monitorOf(config, 4), 0);
    this.world = { ...fine, ...world };
    this.#random = random(seed);
  }

  /** From now on. */
  change(world: Partial<World>): void {
    this.world = { ...this.world, ...world };
  }

  run(ms: number): void {
    const end = this.now + ms;
    while (true) {
      const next = Math.max(this.#nextAt(), this.#stoppedUntil, this.now);
      if (next > end) break;
      this.now = next;
      this.#step();
    }
    this.now = end;
  }

  /** How long it took to come to that health; undefined: it didn't. */
  timeUntil(health: Transition['to'], mostMs: number): number | undefined {
    const start = this.now;
    for (const step = 10; this.now < start + mostMs; ) {
      this.run(step);
      const found = this.transitions.find(({ at, to }) => at >= start && to === health);
      if (found) return found.at - start;
    }
    return undefined;
  }

  /** The daemon does not run for so long; answers come nevertheless. */
  stop(ms: number): void {
    this.#stoppedUntil = this.now + ms;
  }

  link(problem: string): void {
    this.verdict.link(this.now, problem);
    this.#collect();
  }

  neighbour(fails: boolean): void {
    this.verdict.neighbour(this.now, fails);
    this.#collect();
  }

  #nextAt(): number {
    const answers = this.#awaited.map(({ at }) => at);
    return Math.min(this.verdict.wakeAt, this.#nextEvidence, ...answers);
  }

  #step(): void {
    const { now } = this;
    const due = this.#awaited.filter(({ at }) => at <= now);
    this.#awaited = this.#awaited.filter(({ at }) => at > now);
    for (const { round, result, timeoutMs } of due) {
      // As in Node.js timers come first: what lay there when the daemon went on is read too late.
      const isLate = now > result.at + timeoutMs;
      this.verdict.result(now, round, isLate ? silent(result, timeoutMs) : result);
    }
    if (now >= this.#nextEvidence) {
      this.verdict.evidence(this.#sample());
      this.#nextEvidence = now + evidenceMs;
    }
    const round = this.verdict.due(now);
    if (round) {
      const probes = round.questions.map(({ probe }) => probe);
      this.rounds.push({ at: now, probes, timeoutMs: round.questions[0]?.timeoutMs ?? 0 });
      for (const { probe, timeoutMs } of round.questions) {
        const { afterMs, ...result } = this.#answer(probe, timeoutMs);
        this.#awaited.push({ at: now + afterMs, round: round.number, result, timeoutMs });
      }
    }
    this.#collect();
  }

  #answer(probe: ProbeConfig, timeoutMs: number): ProbeResult & { afterMs: number } {
    const { delayMs, jitterMs, loss, isPortal, deadHosts, isVoid } = this.world;
    const at = this.now;
    const rttMs = 2 * delayMs + this.#random() * jitterMs;
    const isLost = this.#random() < loss || this.#isSilent || deadHosts.includes(probe.kind);
    const ok: ProbeResult = { probe, at, outcome: 'ok', rttMs, detail: '' };
    if (isVoid) return { ...ok, outcome: 'void', rttMs: null, afterMs: 1 };
    if (isLost || rttMs >= timeoutMs) return { ...silent(ok, timeoutMs), afterMs: timeoutMs };
    if (isPortal && probe.kind === 'http') {
      const detail = 'status 302 instead of 204';
      return { ...ok, outcome: 'wrong', detail, afterMs: rttMs };
    }
    return { ...ok, afterMs: rttMs };
  }

  get #isSilent(): boolean {
    return this.world.isDead || this.world.isDeaf;
  }

  #sample(): EvidenceSample {
    const { openings, scans, isDead, streams, delayMs } = this.world;
    this.#opened += (openings * (this.now - this.#nextEvidence + evidenceMs)) / 1000;
    const opened = Math.floor(this.#opened);
    this.#opened -= opened;
    // Answers to what was opened in the sample before come in this one, too.
    const answered = this.#isSilent ? 0 : Math.min(opened, this.#lastOpened || opened);
    this.#lastOpened = opened;
    return {
      at: this.now,
      ...{ syns: opened + (scans * evidenceMs) / 1000, synRepeats: 0, synAnswers: answered },
      ...{ asks: 0, askAnswers: 0, unreachables: 0 },
      bytesUp: opened * 60,
      bytesDown: isDead ? 0 : answered * 60 + (streams ? 1500 : 0),
      rttMs: answered > 0 ? 2 * delayMs : null,
    };
  }

  #collect(): void {
    this.transitions.push(...this.verdict.takeTransitions());
  }
}
