// The verdict on one family of one gateway: up, suspect, down or recovering. No clock, no network: time and
// what was found come in, health and what to ask next go out. docs/failover.md tells the rules.
//
// Whoever drives it calls due() at wakeAt at the latest, asks what that returns, all at once, and hands
// each answer to result(), whenever it comes.

import type { MonitorConfig, ProbeConfig } from '../model/config.ts';
import { type Health, isDown } from '../model/health.ts';
import { Brownout } from './brownout.ts';
import { Delays, patienceMs } from './delay.ts';
import { Traffic } from './evidence.ts';
import { Judge, noNeighbour, type Standing, type Transition } from './judge.ts';
import { asksForWay, probeName } from './probe-kinds.ts';
import { type Question, Round } from './round.ts';
import type { EvidenceSample, ProbeResult } from './types.ts';

/** It wants to be called at least so often: see #noticeStandstill. */
const beatMs = 100;
/** Timers that are so late may have let a probe's time run out before its answer was read. */
const lateMs = 50;
/** Rounds that may be awaited at once, where `fall` isn't more. */
const mostAwaited = 10;
/** Of two intervals, what is left to act in, once the last round of a burst is over. */
const actMs = 50;
/** A round that nobody answers for so long after its last timeout was forgotten by who asks. */
const forgottenMs = 1000;

export class Verdict {
  readonly #config: MonitorConfig;
  readonly #judge: Judge;
  readonly #traffic: Traffic;
  readonly #brownout: Brownout;
  readonly #delays = new Delays();
  /** Those of which answers are awaited. */
  readonly #rounds = new Map<number, Round>();
  #transitions: Transition[] = [];
  #linkProblem = '';
  #neighbourFails = false;
  #lastRound = 0;
  #nextRoundAt: number;
  #calledAt: number;

  /** `config`: of this family (monitorOf); `start`: as it was left by who watched before. */
  constructor(config: MonitorConfig, at: number, start: Health = 'up') {
    this.#config = config;
    this.#judge = new Judge(config, { health: start, at }, (change) => this.#changed(change));
    this.#traffic = new Traffic(at);
    this.#brownout = new Brownout(config);
    this.#nextRoundAt = at;
    this.#calledAt = at;
  }

  get health(): Health {
    return this.#judge.health;
  }

  /** Why, in words; '' while it is up. */
  get reason(): string {
    return this.#judge.reason;
  }

  get since(): number {
    return this.#judge.since;
  }

  /** When due() must be called next. */
  get wakeAt(): number {
    const late = [...this.#rounds.values()]
      .map(({ lateAt }) => lateAt)
      .filter((lateAt) => lateAt > this.#calledAt);
    const next = Math.min(...late, this.#mayAsk ? this.#nextRoundAt : Number.POSITIVE_INFINITY);
    return Math.min(this.#calledAt + beatMs, Math.max(next, this.#calledAt));
  }

  /** What changed since the last call. */
  takeTransitions(): Transition[] {
    const taken = this.#transitions;
    this.#transitions = [];
    return taken;
  }

  /** Why the link can't carry anything, `link eth1 has no carrier`; '' = it can. */
  link(at: number, problem: string): void {
    this.#advance(at);
    const before = this.#linkProblem;
    this.#linkProblem = problem;
    if (problem !== '') {
      this.#rounds.clear();
      this.#judge.down(at, 'link', problem);
    } else if (before !== '') {
      this.#traffic.restart(at);
      this.#nextRoundAt = at;
      this.#judge.back(at);
      if (this.#neighbourFails) this.#doubtNeighbour(at);
    }
    this.#settle(at);
  }

  /** The next hop's entry among the kernel's neighbours came to FAILED, or left it. */
  neighbour(at: number, fails: boolean): void {
    this.#advance(at);
    const before = this.#neighbourFails;
    this.#neighbourFails = fails;
    if (fails && !before && this.#linkProblem === '') this.#doubtNeighbour(at);
    this.#settle(at);
  }

  #doubtNeighbour(at: number): void {
    if (this.#config.probes.length === 0) this.#judge.down(at, 'neighbour', noNeighbour);
    else this.#judge.suspect(at, 'neighbour', noNeighbour);
  }

  evidence(sample: EvidenceSample): void {
    this.#advance(sample.at);
    this.#traffic.add(sample);
    const { suspicion } = this.#traffic;
    if (suspicion !== '') this.#judge.suspect(sample.at, 'traffic', suspicion);
    this.#settle(sample.at);
  }

  /** The round to ask now, if it is time. */
  due(at: number): Round | undefined {
    this.#advance(at);
    this.#settle(at);
    if (!this.#mayAsk || at < this.#nextRoundAt) return undefined;
    this.#nextRoundAt = at + this.#paceMs;
    const round = this.#ask(at);
    this.#tell(at, round);
    if (round.isAnswered) return undefined;
    this.#rounds.set(round.number, round);
    return round;
  }

  /** `round`: the number of the round that asked. */
  result(at: number, round: number, result: ProbeResult): void {
    this.#advance(at);
    const asked = this.#rounds.get(round);
    const open = asked?.judgement === undefined;
    if (!asked?.add(result, this.#isGood(at, result))) return;
    if (result.outcome === 'ok' && result.rttMs !== null)
      this.#delays.learn(probeName(result.probe), result.rttMs);
    this.#measure(at, result);
    if (asked.isAnswered) this.#rounds.delete(round);
    // Once: later answers only serve the measuring.
    if (open) this.#tell(at, asked);
    this.#settle(at);
  }

  get #mayAsk(): boolean {
    if (this.#config.probes.length === 0 || this.#linkProblem !== '') return false;
    const awaited = [...this.#rounds.values()].filter(({ judgement }) => !judgement).length;
    return awaited < Math.max(mostAwaited, this.#config.fall);
  }

  get #paceMs(): number {
    const { intervalMs } = this.#config;
    const pace = this.#hurryMs ?? (this.health === 'suspect' ? this.#burstMs : intervalMs);
    return Math.min(intervalMs, pace);
  }

  /**
   * What only probes find can stand for an interval before it is asked for, and shall be over after two:
   * a short interval has no room for `fall` rounds at the usual pace.
   */
  get #burstMs(): number {
    const { burstMs, intervalMs, fall } = this.#config;
    const room = intervalMs - actMs - 2 * patienceMs(0);
    return Math.min(burstMs, Math.max(burstMs / 2, room / Math.max(1, fall - 1)));
  }

  get #hurryMs(): number | undefined {
    return isDown(this.health) ? undefined : this.#brownout.hurryMs;
  }

  get #standing(): Standing {
    return {
      linkFails: this.#linkProblem !== '',
      neighbourFails: this.#neighbourFails,
      trafficFails: this.#traffic.suspicion !== '',
      isBrown: this.#brownout.stage !== 'fine',
    };
  }

  /** While traffic shows that it works, probes that ask for nothing else are saved; loss needs them. */
  #ask(at: number): Round {
    const { probes, quorum } = this.#config;
    const saves = this.health === 'up' && !this.#brownout.measures;
    const asked = probes.filter((probe) => !saves || !asksForWay(probe) || !this.#works(at, probe));
    const questions = asked.map((probe) => this.#questionOf(probe));
    const answered = probes.length - asked.length;
    return new Round({ number: ++this.#lastRound, at, questions, quorum, answered });
  }

  /**
   * In burst an answer is given up early. Less so where only probes raised the suspicion: a pause of a
   * mobile link looks the same, and of the time that `fall` allows there is some left.
   */
  #questionOf(probe: ProbeConfig): Question {
    const { timeoutMs, intervalMs, fall } = this.#config;
    const known = this.#delays.patienceMs(probeName(probe)) ?? timeoutMs;
    const patience = Math.min(timeoutMs, known);
    const hurries = this.health === 'suspect' || this.#hurryMs !== undefined;
    if (!hurries) return { probe, timeoutMs, patienceMs: patience };
    const seconded = this.#neighbourFails || this.#traffic.suspicion !== '';
    const left = intervalMs - actMs - patience - (fall - 1) * this.#burstMs;
    const spare = seconded ? 0 : Math.min(intervalMs / 2, ((fall - 1) * intervalMs) / 4, left);
    const burst = Math.min(timeoutMs, Math.max(patience, spare));
    return { probe, timeoutMs: Math.round(burst), patienceMs: patience };
  }

  /** Traffic of the last interval says what the probe asks. */
  #works(at: number, probe: ProbeConfig): boolean {
    const since = at - this.#config.intervalMs;
    if (this.#neighbourFails) return false;
    if (probe.kind === 'dns') return this.#traffic.answersAsks(since);
    if (!asksForWay(probe)) return false;
    // What still trickles in by a gateway that is down proves only one direction.
    return isDown(this.health) ? this.#traffic.answers(since) : this.#traffic.works(since);
  }

  #isGood(at: number, { probe, outcome }: ProbeResult): boolean {
    return outcome === 'ok' || (outcome === 'silent' && this.#works(at, probe));
  }

  #tell(at: number, round: Round): void {
    if (!round.judgement) return;
    this.#judge.judged(at, round, this.#standing);
    // There is no hurry where nobody can be asked.
    if (round.judgement === 'void' && this.health === 'suspect')
      this.#nextRoundAt = at + this.#config.intervalMs;
  }

  #measure(at: number, result: ProbeResult): void {
    const before = this.#brownout.stage;
    // That nobody answers is no loss, and no latency.
    if (this.health === 'down' && before !== 'brown') return;
    this.#brownout.add(result, this.health === 'recovering');
    const { stage, reason } = this.#brownout;
    this.#hasten(at + this.#paceMs);
    if (stage === before) return;
    if (stage === 'doubtful') this.#judge.suspect(at, 'probes', reason);
    if (stage === 'brown') this.#judge.down(at, 'probes', reason);
  }

  #settle(at: number): void {
    this.#judge.settle(at, this.#standing);
  }

  #changed(change: Transition): void {
    const { at, from, to } = change;
    this.#transitions.push(change);
    if (to === 'suspect') this.#nextRoundAt = at;
    else if (from === 'suspect') this.#nextRoundAt = at + this.#config.intervalMs;
    if (to === 'down') this.#brownout.restart();
    if (to !== 'up') return;
    if (from === 'suspect') this.#traffic.excuse();
    else this.#traffic.restart(at);
  }

  #advance(at: number): void {
    this.#noticeStandstill(at);
    this.#calledAt = Math.max(at, this.#calledAt);
    for (const round of this.#rounds.values()) {
      if (at >= round.endsAt + forgottenMs) this.#rounds.delete(round.number);
      const lateness = round.lateness(at, (probe) => this.#works(at, probe));
      if (lateness !== '') this.#judge.suspect(at, 'probes', lateness);
    }
  }

  /**
   * A machine that was suspended, or too busy to run us, reads answers late or never: what is awaited
   * is forgotten and asked anew.
   */
  #noticeStandstill(at: number): void {
    const { wakeAt } = this;
    const expected = wakeAt > this.#calledAt ? wakeAt : this.#calledAt + beatMs;
    if (at <= expected + lateMs) return;
    this.#rounds.clear();
    this.#traffic.restart(at);
    this.#hasten(at);
  }

  #hasten(nextRoundAt: number): void {
    this.#nextRoundAt = Math.min(this.#nextRoundAt, nextRoundAt);
  }
}
