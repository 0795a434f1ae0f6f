// What is done for a gateway that went down, once packets avoid it: conntrack forgets what went by it, and
// idle clients are made to speak, if their service wants them to begin anew at once.

import { forgetGateway } from '../kernel/conntrack-dead.ts';
import type { Director } from '../kernel/director.ts';
import { pokeClients } from '../kernel/poke.ts';
import type { Config } from '../model/config.ts';
import type { WatchedGateway } from '../monitor/watched.ts';
import type { Log } from '../util/log.ts';

export interface FollowUpParts {
  log: Log;
  director: () => Director | undefined;
  config: () => Config | undefined;
  /** Whether it is down now, by gatewayKey. */
  isDown: (key: string) => boolean | undefined;
}

/** Packets that were on their way then have left their entries in conntrack. */
const againMs = 1000;

export class FollowUp {
  readonly #parts: FollowUpParts;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(parts: FollowUpParts) {
    this.#parts = parts;
  }

  down(gateway: WatchedGateway): void {
    this.#forget(gateway);
    clearTimeout(this.#timers.get(gateway.key));
    this.#timers.set(
      gateway.key,
      setTimeout(() => this.#again(gateway), againMs),
    );
    void this.#poke(gateway);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #again(gateway: WatchedGateway): void {
    this.#timers.delete(gateway.key);
    if (this.#parts.isDown(gateway.key)) this.#forget(gateway);
  }

  #forget({ id }: WatchedGateway): void {
    const director = this.#parts.director();
    if (director) forgetGateway(director, id);
  }

  async #poke({ id, name, family }: WatchedGateway): Promise<void> {
    const director = this.#parts.director();
    const services = this.#parts.config()?.services ?? [];
    const fwmarks = services.filter(({ onDown }) => onDown.idle).map(({ fwmark }) => fwmark);
    if (!director || fwmarks.length === 0) return;
    const count = await pokeClients(director, [id], fwmarks);
    if (count > 0) this.#parts.log.info({ name, family, count }, 'idle clients begin anew');
  }
}
