// Flap damping: a gateway that goes down again and again has to be well for longer and longer.

import type { MonitorConfig } from '../model/config.ts';

export class Damping {
  readonly #hold: MonitorConfig['hold'];
  /** How often `first` is doubled. */
  #doublings = 0;
  #relapsed = false;
  /** Since when it is up again; undefined: it was never down. */
  #upSince: number | undefined;

  constructor(hold: MonitorConfig['hold']) {
    this.#hold = hold;
  }

  /** Each `most` that it was up in between takes back one doubling; less is a relapse. */
  wentDown(at: number): void {
    if (this.#upSince === undefined) return;
    const { most } = this.#hold;
    const steady = at - this.#upSince;
    this.#relapsed = steady < most;
    if (!this.#relapsed && most > 0)
      this.#doublings = Math.max(0, this.#doublings - Math.floor(steady / most));
    // More than it takes to reach `most` would only have to be taken back later.
    else if (this.holdMs < most) this.#doublings++;
  }

  cameUp(at: number): void {
    this.#upSince = at;
  }

  get relapsed(): boolean {
    return this.#relapsed;
  }

  /** How long it must be well now. */
  get holdMs(): number {
    const { first, most } = this.#hold;
    return Math.min(first * 2 ** this.#doublings, most);
  }
}
