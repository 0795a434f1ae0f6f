// Connections that live as long as told and always have something to say, to see whether what the
// director's admin does meanwhile breaks one, or moves one to another gateway.

import { setTimeout as delay } from 'node:timers/promises';
import type { Counts } from './client-connect.ts';
import { type Flow, openTcp, openUdp } from './client-flow.ts';

export interface SteadyOptions {
  /** The internet host. */
  to: string;
  /** Local addresses, taken in turn. */
  from: string[];
  count: number;
  udp: boolean;
  /** Between an answer and the next question of one connection. */
  intervalMs: number;
  /** The longest silence: it breaks a connection. */
  timeoutMs: number;
}

export interface Steady {
  /** Answered to the last; the other ones broke. */
  lived: number;
  broken: number;
  /** Answered, but under another address than before. */
  moved: number;
  /** Those that lived, by the address that the server saw last. */
  gateways: Counts;
  /** Questions that were answered. */
  answers: number;
  /** The longest that a question waited for its answer. */
  slowestMs: number;
  /** Why some broke, each reason once. */
  reasons: string[];
}

/**
 * Opens the connections, keeps them until the signal, and asks each a last time. On stderr: that they
 * stand, and from then on each time that they had, on average, another answer.
 */
export async function keepSteady(options: SteadyOptions, end: AbortSignal): Promise<Steady> {
  const steady: Steady = {
    lived: 0,
    broken: 0,
    moved: 0,
    gateways: {},
    answers: 0,
    slowestMs: 0,
    reasons: [],
  };
  const keepers = Array.from({ length: options.count }, (_, index) =>
    new Keeper(options, steady, index).open(),
  );
  const flows = (await Promise.all(keepers)).filter((keeper) => keeper !== undefined);
  process.stderr.write(`${flows.length} of ${options.count} connections stand\n`);
  await Promise.all(flows.map((keeper) => keeper.keep(end)));
  steady.slowestMs = Math.round(steady.slowestMs);
  return steady;
}

/** One connection and what is known of it. */
class Keeper {
  readonly #options: SteadyOptions;
  readonly #steady: Steady;
  readonly #index: number;
  #flow: Flow | undefined;
  #address = '';
  #moved = false;

  constructor(options: SteadyOptions, steady: Steady, index: number) {
    this.#options = options;
    this.#steady = steady;
    this.#index = index;
  }

  /** Nothing if it does not even answer once. */
  async open(): Promise<Keeper | undefined> {
    const { from, to, udp } = this.#options;
    const local = from[this.#index % from.length]!;
    try {
      this.#flow = await (udp ? openUdp : openTcp)(to, local, this.#options.timeoutMs);
      this.#address = await this.#ask();
      return this;
    } catch (error) {
      this.#break(error as Error);
      return undefined;
    }
  }

  async keep(end: AbortSignal): Promise<void> {
    const { count, intervalMs } = this.#options;
    // Not all of them in one burst.
    await pause((intervalMs * (this.#index + 1)) / count, end);
    try {
      while (!end.aborted) {
        this.#see(await this.#ask());
        await pause(intervalMs, end);
      }
      this.#see(await this.#ask());
      this.#steady.lived++;
      this.#steady.gateways[this.#address] = (this.#steady.gateways[this.#address] ?? 0) + 1;
    } catch (error) {
      this.#break(error as Error);
    }
    if (this.#moved) this.#steady.moved++;
    this.#flow?.close();
  }

  #see(address: string): void {
    if (address === this.#address) return;
    this.#moved = true;
    this.#address = address;
  }

  async #ask(): Promise<string> {
    const start = performance.now();
    const address = await this.#flow!.ask();
    this.#steady.slowestMs = Math.max(this.#steady.slowestMs, performance.now() - start);
    const answers = ++this.#steady.answers;
    const { count } = this.#options;
    // The first of each belongs to the opening.
    if (answers > count && answers % count === 0) process.stderr.write(`${answers} answers\n`);
    return address;
  }

  #break({ message }: Error): void {
    this.#steady.broken++;
    if (!this.#steady.reasons.includes(message)) this.#steady.reasons.push(message);
  }
}

/** Ends early with the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** Aborted by SIGTERM or SIGINT. A second one, as timeout(1) sends to its whole group, changes nothing. */
export function endBySignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => controller.abort());
  return controller.signal;
}
