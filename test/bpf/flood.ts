// SYNs by the hundred thousand: bench/drive.bpf.c sends them in the kernel, each from another
// client, through the director's own code.

import assert from 'node:assert/strict';
import { Drive } from '../../bench/drive.ts';
import { fwmark, type ServiceSpec } from '../../bench/service.ts';
import * as abi from '../../src/kernel/abi.gen.ts';
import type { Director } from '../../src/kernel/director.ts';
import type { Run } from '../../src/kernel/program.ts';
import { type Hook, hooks, verdictNames } from './bed.ts';
import { Flow } from './flow.ts';
import type { Packet } from './packet.ts';

/** Clients that the driver knows: more than it is ever asked for. */
const clients = 0x1000_0000;

const numberKey = Buffer.alloc(4);

export class Flood {
  readonly drive: Drive;
  readonly #syn = new Flow().up('S').bytes;

  constructor(connections: number, service: Omit<ServiceSpec, 'scheduler'>) {
    this.drive = new Drive(connections);
    this.drive.setService({ scheduler: 'wrr', ...service });
    this.drive.makeTable();
    this.drive.startTimers();
    const aim = Buffer.alloc(32); // struct drive
    for (const [at, value] of [clients, clients, fwmark, 1].entries())
      aim.writeUInt32LE(value, 16 + at * 4);
    this.drive.object.map('drive').set(numberKey, aim);
    const target = Buffer.alloc(4);
    target.writeUInt32LE(this.drive.object.program('bench_director').fd);
    this.drive.object.map('lwt_target').set(numberKey, target);
  }

  /** SYNs so far. */
  get sent(): number {
    const drive = this.drive.object.map('drive').get(numberKey)!;
    assert.equal(drive.readBigUInt64LE(8), 0n, 'runs that did not reach the director');
    return Number(drive.readBigUInt64LE(0));
  }

  /** As many SYNs, or some more: a signal in between makes it begin again. */
  send(count: number): void {
    this.drive.object.program('drive_lwt').run(this.#syn, { repeat: count });
  }

  /** One packet through a program; a service's if it is the director. */
  run(hook: Hook, packet: Packet): Run {
    const mark = hook === 'director' ? fwmark : 0;
    return this.drive.object.program(`lvsj_${hook}`).run(packet.bytes, { mark });
  }

  /** What each hook has counted so far, by verdict. */
  counted(hook: Hook): Record<string, number> {
    const counts = this.director.maps.verdicts()[hooks.indexOf(hook)]!;
    return Object.fromEntries(counts.map((count, i) => [verdictNames[i]!, Number(count)]));
  }

  get director(): Director {
    return this.drive.director;
  }

  get connections(): [abi.ConnKey, abi.Conn][] {
    return [...this.director.maps.connections()];
  }

  get entries(): number {
    return this.drive.entries;
  }

  /** Timeouts of all states, and of some. */
  setTimeouts(all: number, some: Record<number, number> = {}): void {
    const { maps, settings } = this.director;
    const timeoutS = settings.timeoutS.map((_, state) => some[state] ?? all);
    maps.settings.set(0, { ...settings, timeoutS });
  }
}

/** The gateway in a mark. */
export const gatewayIn = (mark: number): number => mark >>> 24;

/** The states of these flows, by their clients' ports. */
export function statesOf(connections: [abi.ConnKey, abi.Conn][], flows: Flow[]): number[] {
  const states = new Map<number, number>();
  for (const [key, conn] of connections)
    states.set(key.clientPort, conn.word & abi.connWord.WORD_STATE);
  return flows.map(({ port }) => states.get(port) ?? -1);
}
