// The schedulers once more, as ipvs-semantics §2 tells them and as slowly as it tells them: the
// property test compares bpf/sched*.h with these.

import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Client, Flag, Scheduler } from '../cases/case.ts';
import type { Counts, Scheduling } from './scheduling.ts';

interface Gateway extends Counts {
  slot: number;
  weight: number;
}

const isEligible = ({ weight, overloaded }: Gateway): boolean => weight > 0 && !overloaded;
const overhead = ({ active, inactive }: Gateway): bigint => BigInt(256 * active + inactive);
const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** The client's address as one number; IPv6: its four words xored. */
export function addressWord(address: string): number {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  if (isIPv4(address)) return bytes.readUInt32BE();
  return [0, 4, 8, 12].reduce((word, at) => word ^ bytes.readUInt32BE(at), 0) >>> 0;
}

export const hash8 = (value: number): number => Math.imul(value, 0x61c88647) >>> 24;

export class ReferenceScheduling implements Scheduling {
  #list: Gateway[] = [];
  #scheduler: Scheduler = 'rr';
  #flags: Flag[] = [];
  /** Counts of gateways survive their deletion. */
  readonly #counts = new Map<number, Counts>();
  /** rr, wrr: who was chosen last; undefined = the head of the list. */
  #last: Gateway | undefined;
  #current = 0;
  #highest = 0;
  #step = 1;

  async begin(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    this.#list = [];
    this.#counts.clear();
    await this.setScheduler(scheduler, flags);
  }

  async setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    this.#scheduler = scheduler;
    this.#flags = flags;
    this.#last = undefined;
    this.#weigh();
    this.#current = this.#highest;
  }

  async insert(slot: number, weight: number): Promise<void> {
    const counts = this.#counts.get(slot) ?? { active: 0, inactive: 0, overloaded: false };
    this.#list.unshift({ slot, weight, ...counts });
    this.#changed();
  }

  async setWeight(slot: number, weight: number): Promise<void> {
    this.#gateway(slot).weight = weight;
    this.#changed();
  }

  async remove(slot: number): Promise<void> {
    const place = this.#list.indexOf(this.#gateway(slot));
    if (this.#last?.slot === slot) this.#last = this.#list[place - 1];
    this.#list.splice(place, 1);
    this.#changed();
  }

  async setCounts(slot: number, counts: Counts): Promise<void> {
    this.#counts.set(slot, counts);
    Object.assign(this.#gateway(slot), counts, { slot });
  }

  async pick(client: Client): Promise<number> {
    const picks = {
      rr: () => this.#pickRr(),
      wrr: () => this.#pickWrr(),
      lc: () => this.#pickLeast(() => 1n),
      wlc: () => this.#pickLeast(({ weight }) => BigInt(weight)),
      sh: () => this.#pickSh(client),
    };
    return picks[this.#scheduler]()?.slot ?? 0;
  }

  #gateway(slot: number): Gateway {
    return this.#list.find((gateway) => gateway.slot === slot)!;
  }

  #weigh(): void {
    const weights = this.#list.map(({ weight }) => weight).filter((weight) => weight > 0);
    this.#step = weights.reduce(greatestDivisor, 0) || 1;
    this.#highest = Math.max(0, ...weights) - (this.#step - 1);
  }

  #changed(): void {
    if (this.#scheduler !== 'wrr') return;
    this.#last = undefined;
    this.#weigh();
    const [current, step] = [this.#current, this.#step];
    if (current > this.#highest || current === 0) this.#current = this.#highest;
    else if (step > 1) this.#current = Math.floor(current / step) * step + 1;
  }

  /** The first place to look at: after the last choice. */
  #next(): number {
    return this.#last === undefined ? 0 : this.#list.indexOf(this.#last) + 1;
  }

  #pickRr(): Gateway | undefined {
    const next = this.#next();
    const found = [...this.#list.slice(next), ...this.#list.slice(0, next)].find(isEligible);
    this.#last = found ?? this.#last;
    return found;
  }

  #pickWrr(): Gateway | undefined {
    if (this.#highest === 0) return undefined;
    // Nobody at all: Linux starts from the top the next time, if it is not in the last pass.
    if (!this.#list.some(isEligible)) {
      if (this.#last !== undefined && this.#current <= this.#step) return undefined;
      this.#last = undefined;
      this.#current = this.#highest;
      return undefined;
    }
    for (let place = this.#next(); ; place++) {
      const gateway = this.#list[place];
      if (gateway === undefined) {
        this.#current -= this.#step;
        if (this.#current <= 0) this.#current = this.#highest;
        place = -1;
      } else if (isEligible(gateway) && gateway.weight >= this.#current) {
        this.#last = gateway;
        return gateway;
      }
    }
  }

  #pickLeast(weightOf: (gateway: Gateway) => bigint): Gateway | undefined {
    return this.#list
      .filter(isEligible)
      .reduce<Gateway | undefined>(
        (best, next) =>
          best && overhead(best) * weightOf(next) <= overhead(next) * weightOf(best) ? best : next,
        undefined,
      );
  }

  #pickSh({ address, port }: Client): Gateway | undefined {
    const buckets: Gateway[] = [];
    while (this.#list.length > 0 && buckets.length < 256) {
      for (const gateway of this.#list) {
        const share = Math.min(256, Math.max(gateway.weight, 1));
        buckets.push(...Array<Gateway>(share).fill(gateway));
      }
    }
    const bucket = hash8(addressWord(address) + (this.#flags.includes('sh-port') ? port : 0));
    const first = buckets[bucket];
    if (first === undefined || isEligible(first)) return first;
    if (!this.#flags.includes('sh-fallback')) return undefined;
    const order = Array.from({ length: 256 }, (_, k) => buckets[(2 * bucket + k) % 256]!);
    return order.find(isEligible);
  }
}
