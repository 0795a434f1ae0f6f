// What the schedulers see of a director: the list of one service, counts, and clients that ask.

import { scheduler, schedulerFlag } from '../../src/kernel/abi.gen.ts';
import type { Client, Flag, Scheduler } from '../cases/case.ts';
import type { SchedHost } from './sched-host.ts';

/** Gateways are known by their slot, 1 and up; 0 = none. */
export interface Scheduling {
  begin(scheduler: Scheduler, flags: Flag[]): Promise<void>;
  setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void>;
  insert(slot: number, weight: number): Promise<void>;
  setWeight(slot: number, weight: number): Promise<void>;
  remove(slot: number): Promise<void>;
  setCounts(slot: number, counts: Counts): Promise<void>;
  pick(client: Client): Promise<number>;
}

export interface Counts {
  active: number;
  inactive: number;
  overloaded: boolean;
}

export const schedulerNumbers: Record<Scheduler, number> = {
  rr: scheduler.SCHEDULER_RR,
  wrr: scheduler.SCHEDULER_WRR,
  lc: scheduler.SCHEDULER_LC,
  wlc: scheduler.SCHEDULER_WLC,
  sh: scheduler.SCHEDULER_SH,
};

const flagBits: Record<Flag, number> = {
  'sh-fallback': schedulerFlag.SH_FALLBACK,
  'sh-port': schedulerFlag.SH_PORT,
};

export const flagWord = (flags: Flag[]): number =>
  flags.reduce((word, flag) => word | flagBits[flag], 0);

/** bpf/sched*.h, compiled for the host. */
export class HostScheduling implements Scheduling {
  readonly #host: SchedHost;

  constructor(host: SchedHost) {
    this.#host = host;
  }

  async begin(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    await this.#host.ask('service', schedulerNumbers[scheduler], flagWord(flags));
  }

  async setScheduler(scheduler: Scheduler, flags: Flag[]): Promise<void> {
    await this.#host.ask('scheduler', schedulerNumbers[scheduler], flagWord(flags));
  }

  async insert(slot: number, weight: number): Promise<void> {
    await this.#host.ask('insert', slot, weight);
  }

  async setWeight(slot: number, weight: number): Promise<void> {
    await this.#host.ask('weight', slot, weight);
  }

  async remove(slot: number): Promise<void> {
    await this.#host.ask('remove', slot);
  }

  async setCounts(slot: number, { active, inactive, overloaded }: Counts): Promise<void> {
    await this.#host.ask('counts', slot, active, inactive, Number(overloaded));
  }

  async pick({ address, port }: Client): Promise<number> {
    return await this.#host.ask('pick', address, port);
  }
}
