// Keeps the addresses of DNS names in the sets of rules that name them: asked again when their time is up,
// gone from the set soon after, unless they are still the answer.

import { Resolver } from 'node:dns/promises';
import type { DomainAddress, tellDomainSet } from '../kernel/domain-sets.ts';
import type { SetObject } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import type { Log } from '../util/log.ts';

/** Names of one minute or less are those of big sites, which use each address for longer. */
const shortestTtlS = 60;
const longestTtlS = 3600;
/** An answer that comes a little late finds the old one still there. */
const graceS = 60;
/** After an answer that did not come. */
const retryS = 10;

interface Answer {
  addresses: DomainAddress[];
  /** Seconds until it is to be asked again. */
  ttlS: number;
}

export class DomainFeeder {
  readonly #log: Log;
  readonly #sets: () => readonly SetObject[];
  readonly #tell: typeof tellDomainSet;
  readonly #resolver = new Resolver({ timeout: 2000, tries: 2 });
  /** By domain: when it is asked next. */
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #closed = false;

  /** sets: those that are applied now. */
  constructor(log: Log, sets: () => readonly SetObject[], tell: typeof tellDomainSet) {
    this.#log = log;
    this.#sets = sets;
    this.#tell = tell;
  }

  /** Another configuration: names that are new are asked at once, others in their time. */
  update(): void {
    const wanted = new Set(this.#sets().flatMap(({ domains }) => domains));
    for (const [domain, timer] of this.#timers)
      if (!wanted.has(domain)) {
        clearTimeout(timer);
        this.#timers.delete(domain);
      }
    for (const domain of wanted) if (!this.#timers.has(domain)) this.#askIn(domain, 0);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#resolver.cancel();
  }

  #askIn(domain: string, seconds: number): void {
    this.#timers.set(
      domain,
      setTimeout(() => void this.#ask(domain), seconds * 1000),
    );
  }

  async #ask(domain: string): Promise<void> {
    const { addresses, ttlS } = await this.#resolve(domain);
    if (this.#closed || !this.#timers.has(domain)) return;
    for (const { name, domains } of this.#sets())
      if (domains.includes(domain) && addresses.length > 0) this.#tell(name, addresses);
    this.#askIn(domain, ttlS);
  }

  async #resolve(domain: string): Promise<Answer> {
    const answers = await Promise.all([
      this.#resolveFamily(domain, 4),
      this.#resolveFamily(domain, 6),
    ]);
    const found = answers.filter((answer) => answer !== undefined);
    return {
      addresses: found.flatMap(({ addresses }) => addresses),
      ttlS: Math.min(...found.map(({ ttlS }) => ttlS), found.length < 2 ? retryS : longestTtlS),
    };
  }

  /** Undefined where no answer came; none of this family is an answer. */
  async #resolveFamily(domain: string, family: Family): Promise<Answer | undefined> {
    try {
      const records =
        family === 4
          ? await this.#resolver.resolve4(domain, { ttl: true })
          : await this.#resolver.resolve6(domain, { ttl: true });
      const ttlS = Math.max(shortestTtlS, ...records.map(({ ttl }) => Math.min(ttl, longestTtlS)));
      const timeoutS = ttlS + graceS;
      return { addresses: records.map(({ address }) => ({ address, family, timeoutS })), ttlS };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENODATA') return { addresses: [], ttlS: longestTtlS };
      if (code !== 'ECANCELLED' && !this.#closed)
        this.#log.warn({ domain, family, code }, 'a name of a set has no answer from DNS');
      return undefined;
    }
  }
}
