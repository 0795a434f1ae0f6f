// Flap damping: a gateway that goes down again and again has to be well for longer and longer.

import type { MonitorConfig } from '../model/config.ts';

export class Damping {
  readonly #hold: MonitorConfig['hold'];
  #relapses = 0;
  /** Since when it is up again; undefined: it was never down. */
  #upSince: number | undefined;

  constructor(hold: MonitorConfig['hold']) {
    this.#hold = hold;
  }

  /** Each `most` that it was up in between takes back one relapse; less is one more. */
  wentDown(at: number): void {
    if (this.#upSince === undefined) return;
    const { most } = this.#hold;
    const steady = at - this.#upSince;
    if (steady >= most) this.#relapses = Math.max(0, this.#relapses - Math.floor(steady / most));
    // More than it takes to reach `most` would only have to be taken back later.
    else if (this.holdMs < most) this.#relapses++;
  }

  cameUp(at: number): void {
    this.#upSince = at;
  }

  get relapsed(): boolean {
    return this.#relapses > 0;
  }

  /** How long it must be well now. */
  get holdMs(): number {
    const { first, most } = this.#hold;
    return Math.min(first * 2 ** this.#relapses, most);
  }
}
