// What is done for a gateway that went down, once packets avoid it: conntrack forgets what went by it, and
// idle clients are made to speak, if their service wants them to begin anew at once. And for one that is back:
// conntrack forgets what had no gateway meanwhile.

import { forgetGateway } from '../kernel/conntrack-dead.ts';
import { forgetPassedOn } from '../kernel/conntrack-stale.ts';
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
    this.#forgetTwice(gateway, true);
    void this.#poke(gateway);
  }

  up(gateway: WatchedGateway): void {
    this.#forgetTwice(gateway, false);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #forgetTwice(gateway: WatchedGateway, down: boolean): void {
    const { key, id } = gateway;
    const forget = (): void => {
      const director = this.#parts.director();
      if (director && down) forgetGateway(director, id);
      else if (director) forgetPassedOn(director.bits);
    };
    const again = (): void => {
      this.#timers.delete(key);
      if (this.#parts.isDown(key) === down) forget();
    };
    forget();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(again, againMs));
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
