// What the schedulers see of a director: the list of one service, counts, and clients that ask.

import { limits, scheduler, schedulerFlag } from '../../src/kernel/abi.gen.ts';
import { type MaglevGateway, maglevTable } from '../../src/plan/maglev.ts';
import { server4, server6 } from '../bpf/flow.ts';
import type { Client, Flag, Load, Scheduler } from '../cases/case.ts';
import type { SchedHost } from './sched-host.ts';

/** Gateways are known by their slot, 1 and up; 0 = none. */
export interface Scheduling {
  begin(scheduler: Scheduler, flags: Flag[]): Promise<void>;
  setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void>;
  /** A slot that was removed may come back: it is the same gateway. */
  insert(slot: number, gateway: { weight: number; address: string }): Promise<void>;
  setWeight(slot: number, weight: number): Promise<void>;
  remove(slot: number): Promise<void>;
  setCounts(slot: number, counts: Counts): Promise<void>;
  /** Its gateway is down, or not any more. */
  setDown(slot: number, down: boolean): Promise<void>;
  setLoad(slot: number, load: Required<Load>): Promise<void>;
  setRtt(slot: number, microseconds: number): Promise<void>;
  /** A connection was made, by a SYN or not. */
  opened(slot: number, asks: boolean): Promise<void>;
  pass(seconds: number): Promise<void>;
  pick(client: Client): Promise<number>;
}

export interface Counts {
  active: number;
  inactive: number;
  overloaded: boolean;
}

const schedulerNumber = (name: Scheduler): number =>
  scheduler[`SCHEDULER_${name.toUpperCase()}` as keyof typeof scheduler];

const flagBits: Record<Flag, number> = {
  'sh-fallback': schedulerFlag.SH_FALLBACK,
  'sh-port': schedulerFlag.SH_PORT,
  'mh-fallback': schedulerFlag.MH_FALLBACK,
  'mh-port': schedulerFlag.MH_PORT,
};

const flagWord = (flags: Flag[]): number => flags.reduce((word, flag) => word | flagBits[flag], 0);

export const serverOf = ({ address, server }: Client): string =>
  server ?? (address.includes(':') ? server6 : server4);

/** bpf/sched*.h, compiled for the host. */
export class HostScheduling implements Scheduling {
  readonly #host: SchedHost;
  #scheduler: Scheduler = 'rr';
  /** What mh's table is made of, newest first; user space's part. */
  #shares: MaglevGateway[] = [];
  #tableIsStale = false;

  constructor(host: SchedHost) {
    this.#host = host;
  }

  async begin(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    this.#scheduler = scheduler;
    this.#shares = [];
    this.#tableIsStale = true;
    await this.#host.ask('service', schedulerNumber(scheduler), flagWord(flags));
  }

  async setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    this.#scheduler = scheduler;
    this.#tableIsStale = true;
    await this.#host.ask('scheduler', schedulerNumber(scheduler), flagWord(flags));
  }

  async insert(slot: number, gateway: { weight: number; address: string }): Promise<void> {
    const { weight: lastWeight, address } = gateway;
    this.#shares.unshift({ slot, address, port: 0, lastWeight });
    this.#tableIsStale = true;
    await this.#host.ask('insert', slot, gateway.weight);
  }

  async setWeight(slot: number, weight: number): Promise<void> {
    const share = this.#shares.find((share) => share.slot === slot)!;
    share.lastWeight = weight || share.lastWeight;
    this.#tableIsStale = true;
    await this.#host.ask('weight', slot, weight);
  }

  async remove(slot: number): Promise<void> {
    this.#shares = this.#shares.filter((share) => share.slot !== slot);
    this.#tableIsStale = true;
    await this.#host.ask('remove', slot);
  }

  async setCounts(slot: number, { active, inactive, overloaded }: Counts): Promise<void> {
    await this.#host.ask('counts', slot, active, inactive, Number(overloaded));
  }

  async setDown(slot: number, down: boolean): Promise<void> {
    await this.#host.ask('down', slot, Number(down));
  }

  async setLoad(slot: number, load: Required<Load>): Promise<void> {
    const { down, up, capacityDown, capacityUp } = load;
    await this.#host.ask('carry', slot, down, up, capacityDown, capacityUp);
  }

  async setRtt(slot: number, microseconds: number): Promise<void> {
    await this.#host.ask('rtt', slot, microseconds);
  }

  async opened(slot: number, asks: boolean): Promise<void> {
    await this.#host.ask('opened', slot, Number(asks));
  }

  async pass(seconds: number): Promise<void> {
    await this.#host.ask('pass', seconds);
  }

  async pick(client: Client): Promise<number> {
    // Asked in this order, whoever waits for whom.
    const table = this.#updateTable();
    const slot = this.#host.ask('pick', client.address, client.port, serverOf(client));
    await table;
    return await slot;
  }

  async #updateTable(): Promise<void> {
    if (this.#scheduler !== 'mh' || !this.#tableIsStale) return;
    this.#tableIsStale = false;
    await this.#host.ask('table', ...maglevTable(this.#shares, limits.MH_PLACES));
  }
}
