// How soon answers came so far, and how long to wait for the next one before something is wrong.

/** Shorter than that no answer is late: timers, queues and a busy CPU take their part. */
const leastPatienceMs = 150;

/** Follows a rise at once, and forgets it slowly: to wait too long is cheaper than to condemn. */
export const followDelay = (known: number | undefined, rttMs: number): number =>
  known === undefined ? rttMs : Math.max(rttMs, known * 0.875 + rttMs * 0.125);

export const patienceMs = (rttMs: number): number => Math.max(leastPatienceMs, 4 * rttMs);

/** Of each probe. */
export class Delays {
  readonly #known = new Map<string, number>();

  learn(name: string, rttMs: number): void {
    this.#known.set(name, followDelay(this.#known.get(name), rttMs));
  }

  /** Undefined: it never answered. */
  patienceMs(name: string): number | undefined {
    const known = this.#known.get(name);
    return known === undefined ? undefined : patienceMs(known);
  }
}
