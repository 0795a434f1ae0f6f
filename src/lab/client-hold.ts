// Many TCP connections that stay, as programs have them: each says something from time to time, or only
// when it is told to, and connects anew as soon as it hears that its connection is no more.

import { setTimeout as delay } from 'node:timers/promises';
import type { Counts } from './client-connect.ts';
import { type Flow, openTcp } from './client-flow.ts';
import { clockMs } from './clock.ts';

export interface HoldOptions {
  /** The internet host. */
  to: string;
  /** Local addresses, taken in turn. */
  from: string[];
  count: number;
  /** Between an answer and the next question; 0: a question only when told to. */
  intervalMs: number;
}

/** Something that the user of a connection noticed; times of clockMs(). */
export interface Trouble {
  /** The address that the server saw before. */
  before: string;
  /** When it asked what was not answered at once; when it broke, if it was silent. */
  asked: number;
  /** When it heard that the connection is no more, and why; null if it never did. */
  failed: number | null;
  error: string;
  /** The first answer since, on whichever connection; null if there is none yet. */
  answered: number | null;
  after: string;
}

export interface HoldReport {
  /** Connections by the address that the server saw first. */
  gateways: Counts;
  /** Connections that wait for an answer for long, or have not asked yet though they were told to. */
  waiting: number;
  troubles: Trouble[];
}

/** No program gives up by itself here: that only the kernel tells is what is looked at. */
const patienceMs = 600_000;
/** People notice this. */
const slowMs = 1000;
const waitsMs = 200;
const retryMs = 20;
/** Those that are told to ask do so evenly over this time. */
const spreadMs = 1000;

export class Holding {
  readonly #options: HoldOptions;
  #held: Held[] = [];

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** Ends all connections and makes them anew; their gateways. */
  async makeAll(): Promise<Counts> {
    this.end();
    const { count } = this.#options;
    this.#held = Array.from({ length: count }, (_, index) => new Held(this.#options, index));
    await Promise.all(this.#held.map((held) => held.begin()));
    return this.#gateways();
  }

  /** Has each ask once. */
  askAll(): void {
    this.#held.forEach((held, index) => {
      held.askIn((spreadMs * index) / this.#held.length);
    });
  }

  /** Since they were made. */
  report(): HoldReport {
    const waiting = this.#held.filter((held) => held.waits()).length;
    const troubles = this.#held.flatMap((held) => held.troubles());
    return { gateways: this.#gateways(), waiting, troubles };
  }

  end(): void {
    for (const held of this.#held) held.end();
  }

  #gateways(): Counts {
    const counts: Counts = {};
    for (const { first } of this.#held) counts[first] = (counts[first] ?? 0) + 1;
    return counts;
  }
}

class Held {
  readonly #options: HoldOptions;
  readonly #index: number;
  readonly #troubles: Trouble[] = [];
  /** The address that the server saw first, and last. */
  first = '';
  #now = '';
  #flow: Flow | undefined;
  /** Since when it waits for an answer. */
  #asked: number | undefined;
  #due: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: HoldOptions, index: number) {
    this.#options = options;
    this.#index = index;
  }

  async begin(): Promise<void> {
    this.#now = await this.#connect();
    this.first = this.#now;
    const { intervalMs, count } = this.#options;
    // Not all of them in one burst.
    if (intervalMs > 0) this.askIn((intervalMs * this.#index) / count);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#due);
    this.#flow?.close();
  }

  askIn(ms: number): void {
    clearTimeout(this.#due);
    this.#due = setTimeout(() => {
      this.#due = undefined;
      if (this.#asked === undefined) void this.#ask();
    }, ms);
  }

  waits(): boolean {
    const told = this.#options.intervalMs === 0 && this.#due !== undefined;
    return told || (this.#asked !== undefined && clockMs() - this.#asked > waitsMs);
  }

  troubles(): Trouble[] {
    const asked = this.#asked;
    const open = this.#troubles.some(({ answered }) => answered === null);
    if (asked === undefined || open || clockMs() - asked <= slowMs) return this.#troubles;
    return [...this.#troubles, this.#trouble(asked)];
  }

  async #ask(): Promise<void> {
    const asked = clockMs();
    this.#asked = asked;
    try {
      const after = await this.#flow!.ask();
      const answered = clockMs();
      if (answered - asked > slowMs || after !== this.#now)
        this.#troubles.push({ ...this.#trouble(asked), answered, after });
      this.#answered(after);
    } catch (error) {
      await this.#again(asked, error as Error);
    }
  }

  #answered(address: string): void {
    this.#now = address;
    this.#asked = undefined;
    const { intervalMs } = this.#options;
    if (intervalMs > 0 && !this.#ended) this.askIn(intervalMs);
  }

  /** As a program does whose connection broke. */
  async #again(asked: number, { message }: Error): Promise<void> {
    if (this.#ended) return;
    this.#asked = asked;
    const trouble = { ...this.#trouble(asked), failed: clockMs(), error: message };
    this.#troubles.push(trouble);
    while (!this.#ended) {
      try {
        trouble.after = await this.#connect();
        trouble.answered = clockMs();
        return this.#answered(trouble.after);
      } catch {
        await delay(retryMs);
      }
    }
  }

  /** Comes back with the answer to a first question. */
  async #connect(): Promise<string> {
    const { from, to } = this.#options;
    const flow = await openTcp(to, from[this.#index % from.length]!, patienceMs);
    this.#flow = flow;
    if (this.#ended) flow.close();
    const address = await flow.ask();
    void flow.ended.then((error) => {
      if (this.#asked === undefined) void this.#again(clockMs(), error);
    });
    return address;
  }

  #trouble(asked: number): Trouble {
    return { before: this.#now, asked, failed: null, error: '', answered: null, after: '' };
  }
}
