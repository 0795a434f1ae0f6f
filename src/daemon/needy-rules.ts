// Whether rules of others must see each packet of a connection. They are read anew when rules have changed,
// beside everything else.

import { findNeedyRules } from '../firewall/needy.ts';
import { readForeignFirewall } from '../kernel/firewall.ts';
import type { NeedyRule } from '../model/state.ts';
import type { Log } from '../util/log.ts';
import { later } from './later.ts';

export interface NeedyRulesOptions {
  log: Log;
  /** Ends all reading. */
  signal: AbortSignal;
}

/** Rules come in swarms, and reading them starts some programs. */
const settleMs = 200;
const retryMs = 2000;
/** In the log; all are in the daemon's state. */
const toldRules = 3;

export class NeedyRules {
  /** As judged last. */
  rules: NeedyRule[] = [];
  readonly #options: NeedyRulesOptions;
  readonly #soon: () => void;
  readonly #again: () => void;
  #links: readonly string[] = [];
  /** Those that are in force are not judged yet. */
  #unjudged = true;
  #reading = false;
  #changed = false;
  #error = '';

  constructor(options: NeedyRulesOptions) {
    const { signal } = options;
    this.#options = options;
    this.#soon = later({ ms: settleMs, signal }, () => void this.#read());
    this.#again = later({ ms: retryMs, signal }, () => this.look());
  }

  get careful(): boolean {
    return this.#unjudged || this.rules.length > 0;
  }

  /** The LAN's links and the gateways': rules on others are not passed by. */
  setLinks(links: readonly string[]): void {
    if (links.join() === this.#links.join()) return;
    this.#links = links;
    this.look();
  }

  /** They are not what they were. */
  look(): void {
    this.#unjudged = true;
    this.#changed = true;
    if (!this.#reading) this.#soon();
  }

  async #read(): Promise<void> {
    if (this.#reading || !this.#changed) return;
    const { signal } = this.#options;
    this.#reading = true;
    this.#changed = false;
    try {
      const facts = await readForeignFirewall(signal);
      if (!this.#changed) this.#judged(findNeedyRules(facts, this.#links));
    } catch (error) {
      if (!signal.aborted) this.#failed((error as Error).message);
    }
    this.#reading = false;
    if (this.#changed) this.#soon();
  }

  #failed(message: string): void {
    // They changed while they were read.
    if (this.#changed) return;
    if (message !== this.#error)
      this.#options.log.warn(`services that do not insist keep off the fast path: ${message}`);
    this.#error = message;
    this.#again();
  }

  #judged(rules: NeedyRule[]): void {
    const { log } = this.#options;
    if (rules.length > 0 && this.rules.length === 0) {
      const told = rules.slice(0, toldRules).map(({ rule, why }) => `${rule} (${why})`);
      log.warn(
        { rules: told, count: rules.length },
        'rules of others must see each packet: services that do not insist keep off the fast path',
      );
    }
    if (rules.length === 0 && this.rules.length > 0)
      log.info('no rule of others must see each packet: all services may take the fast path');
    this.rules = rules;
    this.#error = '';
    this.#unjudged = false;
  }
}
