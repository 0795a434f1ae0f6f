// Whether rules of others must see each packet of a connection. They are read anew when rules have changed,
// beside everything else.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { NeedyRule } from '../model/state.ts';
import type { Log } from '../util/log.ts';

export interface NeedyRulesOptions {
  log: Log;
  /** Ends all reading. */
  signal: AbortSignal;
}

/** Rules come in swarms. */
const settleMs = 200;
const retryMs = 2000;
/** Of the time that reading took: where rules change all the time, it shall not take all of a CPU's. */
const restShare = 4;
const longestRestMs = 1000;
/** In the log; all are in the daemon's state. */
const toldRules = 3;

async function findInThread(links: readonly string[], signal: AbortSignal): Promise<NeedyRule[]> {
  const thread = new Worker(new URL('needy-thread.ts', import.meta.url), { workerData: links });
  try {
    const [rules] = await once(thread, 'message', { signal });
    return rules as NeedyRule[];
  } finally {
    await thread.terminate();
  }
}

export class NeedyRules {
  /** As judged last. */
  rules: NeedyRule[] = [];
  readonly #options: NeedyRulesOptions;
  #timer: NodeJS.Timeout | undefined;
  /** By performance.now(). */
  #restsUntil = 0;
  #links: readonly string[] = [];
  /** Those that are in force are not judged yet. */
  #unjudged = true;
  #reading = false;
  #changed = false;
  /** In a row. */
  #failures = 0;

  constructor(options: NeedyRulesOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => clearTimeout(this.#timer));
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
    if (!this.#reading) this.#readIn(settleMs);
  }

  #readIn(ms: number): void {
    if (this.#options.signal.aborted) return;
    const rest = this.#restsUntil - performance.now();
    this.#timer ??= setTimeout(() => void this.#read(), Math.max(ms, rest));
  }

  async #read(): Promise<void> {
    const begun = performance.now();
    this.#timer = undefined;
    this.#reading = true;
    this.#changed = false;
    try {
      const rules = await findInThread(this.#links, this.#options.signal);
      if (!this.#changed) this.#judged(rules);
    } catch (error) {
      if (!this.#options.signal.aborted) this.#failed((error as Error).message);
    }
    this.#reading = false;
    const now = performance.now();
    this.#restsUntil = now + Math.min(restShare * (now - begun), longestRestMs);
    if (this.#changed) this.#readIn(settleMs);
  }

  #failed(message: string): void {
    if (this.#changed) return;
    this.#failures++;
    // Once: they changed while they were read, which is not known yet.
    if (this.#failures === 2)
      this.#options.log.warn(`services that do not insist keep off the fast path: ${message}`);
    this.#readIn(this.#failures === 1 ? settleMs : retryMs);
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
    this.#failures = 0;
    this.#unjudged = false;
  }
}
