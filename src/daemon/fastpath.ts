// Watches over what the fast path passes by. Packets may take it only while this says so, again and again;
// whatever changes of links, routes and rules has every connection learnt anew, by the stack as it is then.

import { Director } from '../kernel/director.ts';
import { readGuard, setGuard } from '../kernel/fastpath.ts';
import { NftGeneration } from '../kernel/nft-generation.ts';
import type { Applied } from '../model/applied.ts';

/** Changes of rules are looked for so often; they shall be in force after 100 ms. */
const tickMs = 40;
/** A daemon that was killed, or hangs, is not followed for longer. */
const leaseNs = 1_000_000_000n;

export class FastPath {
  readonly #rules = new NftGeneration();
  /** Held open, for it is asked often. */
  #director: Director | undefined;
  #timer: NodeJS.Timeout | undefined;
  #epoch = 0;
  #generation = 0;
  /** Since the last tick something changed that is not in the rules' generation. */
  #changed = false;

  /** After each apply. */
  update({ objects }: Applied): void {
    this.#director?.close();
    this.#director = Director.find();
    if (!this.#director || !objects.fastpath) {
      this.#stop();
      return;
    }
    if (this.#timer) return;
    this.#epoch = readGuard(this.#director).epoch;
    this.#changed = true;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  /** Links, addresses, routes or policy rules are not what they were. */
  changed(): void {
    this.#changed = true;
  }

  close(): void {
    this.#stop();
    this.#director?.close();
    this.#director = undefined;
    this.#rules.close();
  }

  #tick(): void {
    const generation = this.#rules.read();
    if (this.#changed || generation !== this.#generation) this.#epoch = (this.#epoch + 1) % 2 ** 32;
    this.#generation = generation;
    this.#changed = false;
    this.#guard(process.hrtime.bigint() + leaseNs);
  }

  #guard(untilNs: bigint): void {
    if (this.#director) setGuard(this.#director, { untilNs, epoch: this.#epoch, careful: 0 });
  }

  #stop(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#guard(0n);
  }
}
