// The schedulers once more, as ipvs-semantics §2 tells them and as slowly as it tells them: the
// property test compares bpf/sched*.h with these.

import type { Client, Flag, Load, Scheduler } from '../cases/case.ts';
import { best, type Gateway, isEligible, isLighter, pickWlc } from './reference-gateway.ts';
import { addressWord, hash8, mhPlace, mhPlaces, mhTable } from './reference-hash.ts';
import { loadParts, noLoad, pickLbw, ReferenceRtt } from './reference-load.ts';
import { ReferenceServers } from './reference-server.ts';
import { type Counts, type Scheduling, serverOf } from './scheduling.ts';

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** sed: fewer active connections for its weight, the new one counted in. */
const isShorter = (a: Gateway, b: Gateway): boolean =>
  BigInt(a.active + 1) * BigInt(b.weight) < BigInt(b.active + 1) * BigInt(a.weight);
const isHeavier = (a: Gateway, b: Gateway): boolean => a.weight > b.weight;

export class ReferenceScheduling implements Scheduling {
  #list: Gateway[] = [];
  #scheduler: Scheduler = 'rr';
  #flags: Flag[] = [];
  /** Deleted ones too: they may come back. */
  readonly #known = new Map<number, Gateway>();
  /** rr, wrr: who was chosen last; undefined = the head of the list. */
  #last: Gateway | undefined;
  #current = 0;
  #highest = 0;
  #step = 1;
  #now = 0;
  /** mh: made when it is needed. */
  #table: Gateway[] | undefined;
  #servers = new ReferenceServers();
  #rtt = new ReferenceRtt();

  async begin(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    this.#list = [];
    this.#known.clear();
    this.#reset(scheduler, flags);
  }

  async setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    if (scheduler === this.#scheduler) this.#flags = flags;
    else this.#reset(scheduler, flags);
  }

  #reset(scheduler: Scheduler, flags: Flag[]): void {
    this.#scheduler = scheduler;
    this.#flags = flags;
    this.#last = undefined;
    this.#weigh();
    this.#current = this.#highest;
    this.#servers = new ReferenceServers();
    this.#rtt = new ReferenceRtt();
    this.#table = undefined;
  }

  async insert(slot: number, { weight, address }: { weight: number; address: string }) {
    const gateway = this.#known.get(slot) ?? {
      ...{ slot, address, weight, lastWeight: weight },
      ...{ active: 0, inactive: 0, overloaded: false, down: false },
      ...{ ...loadParts(noLoad), fresh: 0, rtt: 0 },
    };
    Object.assign(gateway, { weight, lastWeight: weight });
    this.#known.set(slot, gateway);
    this.#list.unshift(gateway);
    this.#changed();
  }

  async setWeight(slot: number, weight: number): Promise<void> {
    const gateway = this.#gateway(slot);
    gateway.weight = weight;
    gateway.lastWeight = weight || gateway.lastWeight;
    this.#changed();
  }

  async remove(slot: number): Promise<void> {
    const gateway = this.#gateway(slot);
    const place = this.#list.indexOf(gateway);
    if (this.#last === gateway) this.#last = this.#list[place - 1];
    this.#rtt.forget(gateway);
    this.#list.splice(place, 1);
    this.#changed();
  }

  async setCounts(slot: number, counts: Counts): Promise<void> {
    Object.assign(this.#gateway(slot), counts);
  }

  async setDown(slot: number, down: boolean): Promise<void> {
    this.#gateway(slot).down = down;
  }

  async setLoad(slot: number, load: Required<Load>): Promise<void> {
    Object.assign(this.#gateway(slot), loadParts(load));
  }

  async setRtt(slot: number, microseconds: number): Promise<void> {
    this.#gateway(slot).rtt = microseconds;
  }

  async opened(slot: number): Promise<void> {
    this.#gateway(slot).fresh += 1;
  }

  async pass(seconds: number): Promise<void> {
    this.#now += seconds;
  }

  async pick(client: Client): Promise<number> {
    const list = this.#list;
    const eligible = list.filter(isEligible);
    const picks: Record<Scheduler, () => Gateway | undefined> = {
      rr: () => this.#pickRr(),
      wrr: () => this.#pickWrr(),
      lc: () => best(eligible, (a, b) => isLighter({ ...a, weight: 1 }, { ...b, weight: 1 })),
      wlc: () => pickWlc(list),
      sed: () => best(eligible, isShorter),
      nq: () => eligible.find(({ active }) => active === 0) ?? best(eligible, isShorter),
      fo: () => best(eligible, isHeavier),
      ovf: () =>
        best(
          eligible.filter(({ active, weight }) => active <= weight),
          isHeavier,
        ),
      sh: () => this.#pickSh(client),
      dh: () => this.#pickDh(client),
      mh: () => this.#pickMh(client),
      lblc: () => this.#servers.pickLblc(list, serverOf(client), this.#now),
      lblcr: () => this.#servers.pickLblcr(list, serverOf(client), this.#now),
      lbw: () => pickLbw(list),
      lrtt: () => this.#rtt.pick(list),
    };
    return picks[this.#scheduler]()?.slot ?? 0;
  }

  #gateway(slot: number): Gateway {
    return this.#known.get(slot)!;
  }

  #weigh(): void {
    const weights = this.#list.map(({ weight }) => weight).filter((weight) => weight > 0);
    this.#step = weights.reduce(greatestDivisor, 0) || 1;
    this.#highest = Math.max(0, ...weights) - (this.#step - 1);
  }

  #changed(): void {
    this.#table = undefined;
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

  #pickDh(client: Client): Gateway | undefined {
    const buckets = Array.from({ length: 256 }, (_, i) => this.#list[i % this.#list.length]);
    const owner = buckets[hash8(addressWord(serverOf(client)))];
    return owner && isEligible(owner) ? owner : undefined;
  }

  #pickMh({ address, port }: Client): Gateway | undefined {
    this.#table ??= mhTable(this.#list);
    const value = addressWord(address) + (this.#flags.includes('mh-port') ? port : 0);
    const place = mhPlace(value);
    const first = this.#table[place];
    if (first === undefined || isEligible(first)) return first;
    if (!this.#flags.includes('mh-fallback') || !this.#list.some(isEligible)) return undefined;
    for (let k = 0; k < mhPlaces; k++) {
      const next = this.#table[mhPlace(value + ((place + k) % mhPlaces))]!;
      if (isEligible(next)) return next;
    }
    return undefined;
  }
}
