// The gateways' watch in the daemon: what the configuration asks to be watched, by which director, with
// the kernel's events on one side and what follows from a verdict on the other.

import { Director } from '../kernel/director.ts';
import { knownGateways } from '../kernel/hops.ts';
import type { NetworkListener } from '../kernel/watch.ts';
import type { Applied } from '../model/applied.ts';
import type { Environment } from '../model/environment.ts';
import type { GatewayHealth } from '../model/health.ts';
import { Monitor, type MonitorParts } from '../monitor/monitor.ts';
import { watchedGateways } from '../monitor/watched.ts';
import { linkProblem } from '../plan/gateways.ts';
import { runRound } from '../probe/round.ts';
import { Failover, type FailoverParts } from './failover.ts';
import { FollowUp, type FollowUpParts } from './follow-up.ts';
import { Samples } from './samples.ts';

/** Those that wait as long are one round. */
const askRound: MonitorParts['ask'] = (questions, { target }, onResult, signal) => {
  for (const [timeoutMs, asked] of Map.groupBy(questions, (each) => each.timeoutMs)) {
    const probes = asked.map(({ probe }) => probe);
    // Whatever can go wrong with a probe is an answer; anything else is a bug, and ends us.
    void runRound(probes, target, { timeoutMs, signal, onResult });
  }
};

/** undefined: the kernel is still asking, which says nothing. One that is forgotten may be asked anew. */
function neighbourFails(state: string, deleted: boolean): boolean | undefined {
  if (deleted) return false;
  if (state === 'FAILED') return true;
  return state === 'INCOMPLETE' || state === '' ? undefined : false;
}

export interface GatewayWatchOptions
  extends Pick<FailoverParts, 'log' | 'emit' | 'keep' | 'signal'>,
    Pick<FollowUpParts, 'config'> {}

export class GatewayWatch {
  readonly #monitor: Monitor;
  readonly #failover: Failover;
  readonly #followUp: FollowUp;
  /** Held open: what is told of a gateway must not wait for it to be found. */
  #director: Director | undefined;
  #resumed = false;

  constructor(options: GatewayWatchOptions) {
    const samples = new Samples();
    const director = (): Director | undefined => this.#director;
    const isDown = (key: string): boolean | undefined => this.#monitor.isDown(key);
    this.#followUp = new FollowUp({ ...options, director, isDown });
    const followUp: FailoverParts['followUp'] = (gateway, down) =>
      down ? this.#followUp.down(gateway) : this.#followUp.up(gateway);
    this.#failover = new Failover({ ...options, director, followUp });
    this.#monitor = new Monitor({
      now: () => performance.now(),
      ask: askRound,
      sample: (ids, at) =>
        this.#director ? samples.take(this.#director, ids, at) : new Map<number, never>(),
      changed: (gateway, transition) => this.#failover.changed(gateway, transition),
    });
  }

  /** What was found and the kernel's copy does not say yet. */
  get unkept(): Readonly<Record<string, GatewayHealth>> {
    return this.#failover.unkept;
  }

  /** After each apply: what is applied now, in which environment. */
  update(applied: Applied, environment: Environment): void {
    this.#director?.close();
    this.#director = Director.find();
    if (!this.#director) return;
    if (!this.#resumed) this.#resume(applied);
    const { maps, bits } = this.#director;
    const known = knownGateways(maps.gateways.all());
    this.#monitor.update(watchedGateways(applied, environment, known, bits));
  }

  /** The kernel's events, at once. That a link is well again is said by update(). */
  readonly listener: NetworkListener = {
    link: ({ link, deleted, ...facts }) => {
      const problem = linkProblem(link, deleted ? undefined : facts);
      if (problem !== '') this.#monitor.linkFailed(link, problem);
    },
    neighbour: ({ link, address, state, deleted }) => {
      const fails = neighbourFails(state, deleted);
      if (fails !== undefined) this.#monitor.neighbour(link, address, fails);
    },
    hasNeighbours: (link) => this.#monitor.gateways.some(({ target }) => target.link === link),
  };

  close(): void {
    this.#monitor.close();
    this.#followUp.close();
    this.#failover.keep();
    this.#director?.close();
  }

  #resume({ health }: Applied): void {
    this.#resumed = true;
    for (const [key, { incident, health: state }] of Object.entries(health)) {
      const name = key.slice(0, key.lastIndexOf('/'));
      if (state !== 'up') this.#failover.incidents.resume(name, key, incident);
    }
  }
}
