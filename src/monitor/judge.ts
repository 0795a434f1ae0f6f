// The state machine of a gateway's health: doubts, proofs and judged rounds in, health and its reason out.
//
//   up ──doubt──► suspect ──`fall` bad rounds──► down ──good round──► recovering ──`rise` good rounds,──► up
//    ◄──`rise` good rounds──┘                     ◄──bad round────────┘              held long enough
//
// A link without carrier, and a failed neighbour that no probe can speak for, is down from anywhere.

import type { MonitorConfig } from '../model/config.ts';
import { type Health, isDown } from '../model/health.ts';
import { Damping } from './damping.ts';
import type { Round } from './round.ts';
import { Streak } from './streak.ts';

export interface Transition {
  at: number;
  from: Health;
  to: Health;
  reason: string;
}

/** What made it suspect or down. */
export type Cause = 'link' | 'neighbour' | 'traffic' | 'probes';

/** What stands besides the rounds. */
export interface Standing {
  linkFails: boolean;
  neighbourFails: boolean;
  /** Traffic gives reason for doubt. */
  trafficFails: boolean;
  /** Loss or latency is in doubt, or too much. */
  isBrown: boolean;
}

export const noNeighbour = 'the next hop does not answer';

export class Judge {
  readonly #config: MonitorConfig;
  readonly #damping: Damping;
  readonly #streak: Streak;
  readonly #changed: (transition: Transition) => void;
  #health: Health;
  #cause: Cause;
  #reason: string;
  #since: number;
  /** Rounds begun before do not count: while suspect, only those asked because of the suspicion. */
  #countedSince: number;
  /** Since when it is well though not up; undefined: it isn't. */
  #wellSince: number | undefined;

  constructor(
    config: MonitorConfig,
    start: { health: Health; at: number },
    changed: (transition: Transition) => void,
  ) {
    const { health, at } = start;
    this.#config = config;
    this.#damping = new Damping(config.hold);
    this.#streak = new Streak(Math.max(config.rise, config.fall));
    this.#changed = changed;
    this.#health = health;
    this.#cause = health === 'suspect' ? 'traffic' : 'link';
    this.#reason = health === 'up' ? '' : `${health} before anybody watched`;
    this.#since = at;
    this.#countedSince = at;
    if (health === 'recovering') this.#wellSince = at;
  }

  get health(): Health {
    return this.#health;
  }

  get reason(): string {
    return this.#reason;
  }

  get since(): number {
    return this.#since;
  }

  suspect(at: number, cause: Cause, reason: string): void {
    if (this.#health !== 'up') return;
    this.#cause = cause;
    this.#restart(at);
    this.#go(at, 'suspect', reason);
  }

  down(at: number, cause: Cause, reason: string): void {
    if (!isDown(this.#health)) this.#damping.wentDown(at);
    this.#cause = cause;
    this.#wellSince = undefined;
    this.#restart(at);
    this.#go(at, 'down', reason);
  }

  /** What took it down at once is over. */
  back(at: number): void {
    if (this.#health !== 'down') return;
    this.#wellSince = at;
    this.#restart(at);
    this.#go(at, 'recovering', `was down: ${this.#reason}`);
  }

  judged(at: number, round: Round, standing: Standing): void {
    if (round.at < this.#countedSince) return;
    const good = this.#isGood(round, standing);
    if (good === undefined) return;
    this.#streak.add(round.number, good);
    // A later round, overtaken by nothing, has said otherwise.
    if (good ? this.#streak.good === 0 : this.#streak.bad === 0) return;
    if (!good && round.judgement === 'void') this.#bad(at, 'neighbour', noNeighbour);
    else if (!good) this.#bad(at, 'probes', round.failure);
    else if (this.#health === 'down' && !standing.isBrown) {
      this.#wellSince ??= at;
      this.#go(at, 'recovering', 'it answers again');
    }
  }

  /** Probes that can't be asked leave the word to the link and to the next hop's neighbour entry. */
  #isGood({ judgement }: Round, { neighbourFails }: Standing): boolean | undefined {
    if (judgement !== 'void') return judgement === 'good';
    if (neighbourFails) return false;
    const isBack = this.#cause === 'link' || this.#cause === 'neighbour';
    return isBack && isDown(this.#health) ? true : undefined;
  }

  #bad(at: number, cause: Cause, failure: string): void {
    const { fall } = this.#config;
    const enough = this.#streak.bad >= fall;
    if (enough) this.#wellSince = undefined;
    const rounds = fall === 1 ? 'a round' : `${fall} rounds`;
    const all = cause === 'probes' ? `${rounds} failed: ${failure}` : failure;
    if (this.#health === 'up') this.suspect(at, cause, failure);
    else if (this.#health === 'recovering') this.#go(at, 'down', failure);
    else if (this.#health === 'suspect' && enough) this.down(at, cause, all);
    this.#cause = cause;
  }

  /** What follows from the time that passes, and from what is no more. */
  settle(at: number, standing: Standing): void {
    if (standing.linkFails || standing.isBrown) return;
    const { rise, probes } = this.#config;
    const isBlind = probes.length === 0;
    if (this.#health === 'down' && isBlind && !standing.neighbourFails) this.back(at);
    const proven = isBlind ? !standing.neighbourFails : this.#streak.good >= rise;
    if (this.#health === 'suspect' && (this.#isRefuted(standing) || (proven && !isBlind)))
      this.#go(at, 'up', '');
    if (this.#health === 'recovering' && proven && this.#isHeld(at)) {
      this.#damping.cameUp(at);
      this.#go(at, 'up', '');
    }
  }

  #isRefuted({ trafficFails, neighbourFails }: Standing): boolean {
    if (this.#cause === 'traffic') return !trafficFails;
    return this.#cause === 'neighbour' && !neighbourFails;
  }

  /** Nobody has to watch over what no probe doubted: without probes only a relapse is held. */
  #isHeld(at: number): boolean {
    if (this.#config.probes.length === 0 && !this.#damping.relapsed) return true;
    return at - (this.#wellSince ?? at) >= this.#damping.holdMs;
  }

  #restart(at: number): void {
    this.#countedSince = at;
    this.#streak.clear();
  }

  #go(at: number, to: Health, reason: string): void {
    const from = this.#health;
    this.#reason = reason;
    if (from === to) return;
    this.#health = to;
    this.#since = at;
    this.#changed({ at, from, to, reason });
  }
}
