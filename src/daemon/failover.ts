// What the daemon does when a gateway comes to another health, the fastest first: the flag that packets
// go by; then whoever wants to be told; then what lies in the kernel for readers and for the next daemon.

import type { DirectorEvent } from '../api/store.ts';
import type { Director } from '../kernel/director.ts';
import { setDown } from '../kernel/gateway-down.ts';
import { type GatewayHealth, type HealthChange, isDown } from '../model/health.ts';
import type { Transition } from '../monitor/judge.ts';
import type { WatchedGateway } from '../monitor/watched.ts';
import type { Log } from '../util/log.ts';
import { Incidents } from './incidents.ts';
import { later } from './later.ts';

export interface FailoverParts {
  log: Log;
  emit: (event: DirectorEvent) => void;
  signal: AbortSignal;
  /** The one that runs now. */
  director: () => Director | undefined;
  /** Keeps it in the kernel; key: gatewayKey. */
  keep: (health: Record<string, GatewayHealth>) => void;
  /** What is done once packets avoid it, or find it again. */
  followUp: (gateway: WatchedGateway, down: boolean) => void;
}

/** Several gateways of one link fall together. */
const settleMs = 20;

export class Failover {
  readonly incidents = new Incidents();
  readonly #parts: FailoverParts;
  readonly #keepLater: () => void;
  #unkept: Record<string, GatewayHealth> = {};

  constructor(parts: FailoverParts) {
    this.#parts = parts;
    this.#keepLater = later({ ms: settleMs, signal: parts.signal }, () => this.keep());
  }

  /** What the kernel's copy does not say yet, by gatewayKey. */
  get unkept(): Readonly<Record<string, GatewayHealth>> {
    return this.#unkept;
  }

  keep(): void {
    const health = this.#unkept;
    if (Object.keys(health).length === 0) return;
    this.#unkept = {};
    this.#parts.keep(health);
  }

  changed(gateway: WatchedGateway, { from, to, reason }: Transition): void {
    const { key, name, family, id, target } = gateway;
    const director = this.#parts.director();
    const turns = isDown(from) !== isDown(to);
    if (director && turns) setDown(director, [id], isDown(to));
    const incident = this.incidents.follow(name, key, to);
    const since = new Date().toISOString();
    const health: GatewayHealth = { health: to, reason, since, incident };
    this.#unkept[key] = to === 'up' ? { ...health, incident: '' } : health;
    if (turns) this.#parts.followUp(gateway, isDown(to));
    this.#tell({ ...health, name, family, link: target.link, id, from });
    this.#keepLater();
  }

  #tell(change: HealthChange): void {
    const { log, emit } = this.#parts;
    const { name, family, link, from, health, reason, incident } = change;
    const level = isDown(health) ? 'warn' : 'info';
    const words = `gateway ${health}${reason === '' ? '' : `: ${reason}`}`;
    log[level]({ name, family, link, from, incident }, words);
    emit({ type: 'health', ...change });
  }
}
