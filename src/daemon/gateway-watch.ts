// The gateways' watch in the daemon: what the configuration asks to be watched, by which director, with
// the kernel's events on one side and what follows from a verdict on the other.

import type { DirectorEvent } from '../api/store.ts';
import { Director } from '../kernel/director.ts';
import { knownGateways } from '../kernel/hops.ts';
import type { Applied } from '../model/applied.ts';
import type { Environment } from '../model/environment.ts';
import type { GatewayHealth } from '../model/health.ts';
import { Monitor, type MonitorParts } from '../monitor/monitor.ts';
import { watchedGateways } from '../monitor/watched.ts';
import { runRound } from '../probe/round.ts';
import type { Log } from '../util/log.ts';
import { Failover, type FailoverParts } from './failover.ts';
import { Samples } from './samples.ts';

/** Those that wait as long are one round. */
const askRound: MonitorParts['ask'] = (questions, { target }, onResult, signal) => {
  for (const [timeoutMs, asked] of Map.groupBy(questions, (each) => each.timeoutMs)) {
    const probes = asked.map(({ probe }) => probe);
    // Whatever can go wrong with a probe is an answer; anything else is a bug, and ends us.
    void runRound(probes, target, { timeoutMs, signal, onResult });
  }
};

export interface GatewayWatchOptions extends Pick<FailoverParts, 'keep' | 'followUp' | 'signal'> {
  log: Log;
  emit: (event: DirectorEvent) => void;
}

export class GatewayWatch {
  readonly #monitor: Monitor;
  readonly #failover: Failover;
  /** Held open: what is told of a gateway must not wait for it to be found. */
  #director: Director | undefined;
  #resumed = false;

  constructor(options: GatewayWatchOptions) {
    const samples = new Samples();
    const director = (): Director | undefined => this.#director;
    this.#failover = new Failover({ ...options, director });
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

  /** From the kernel, at once: `link eth1 has no carrier`. */
  linkFailed(link: string, problem: string): void {
    this.#monitor.linkFailed(link, problem);
  }

  neighbour(link: string, address: string, fails: boolean): void {
    this.#monitor.neighbour(link, address, fails);
  }

  close(): void {
    this.#monitor.close();
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
