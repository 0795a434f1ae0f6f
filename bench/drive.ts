// Loads bench/drive.bpf.c and runs the director's programs with it. No network and no namespace:
// its services and gateways are only what the programs read of them.

import { fileURLToPath } from 'node:url';
import * as abi from '../src/kernel/abi.gen.ts';
import { Director, defaults, markBits } from '../src/kernel/director.ts';
import * as libbpf from '../src/kernel/libbpf.ts';
import { DirectorMaps } from '../src/kernel/maps.ts';
import { createShards, DirectorObject, mapNames } from '../src/kernel/object.ts';
import type { Program } from '../src/kernel/program.ts';
import { readSlots } from '../src/kernel/read-table.ts';
import { ServiceWriter } from '../src/kernel/write-services.ts';
import { defaultSettings } from '../src/model/setting.ts';
import type { Service } from '../src/model/table.ts';
import type { Hop } from '../src/plan/hops.ts';
import { run } from '../src/util/run.ts';
import { udpFrame } from './packet.ts';
import { Refused } from './rows.ts';
import {
  addressOf,
  fwmark,
  hopOf,
  measured,
  noGateway,
  type ServiceSpec,
  serviceOf,
} from './service.ts';

const objectPath = fileURLToPath(new URL('../build/bench/drive.o', import.meta.url));
/** Far longer than a measurement, so that nothing expires in one. */
const timeoutS = 900;

/** What is measured, and the drivers that run it. */
export const targets = {
  tc: { empty: 'empty_tc', lookup: 'lookup_tc', ours: 'lvsj_ingress' },
  lwt: { empty: 'empty_lwt', lookup: 'lookup_lwt', ours: 'bench_director' },
} as const;

export type Kind = keyof typeof targets;
export type Target = keyof (typeof targets)[Kind];

export interface Load {
  kind: Kind;
  target: Target;
  /** Flows in turn, and how many clients they have. */
  flows: number;
  clients: number;
  repeat: number;
  /** First flow; those before it were sent already. */
  from?: number;
  /** How the director must decide each of them. */
  verdict: number;
}

/** Decisions of the service's scheduler, without packets and without a table. */
export interface Decisions {
  count: number;
  /** Both come in turn. */
  clients: number;
  servers: number;
  /** Each decision makes an active connection. */
  keeps: boolean;
  /** False: everything but the scheduler, to be subtracted. */
  asks: boolean;
}

export class Drive {
  readonly director: Director;
  readonly object = new DirectorObject(objectPath);
  readonly #connections: number;
  readonly #packet = udpFrame();
  #service: Service | undefined;

  constructor(connections = defaults.connections) {
    this.#connections = connections;
    const maps = new DirectorMaps(mapNames.map((name) => this.object.map(name)));
    this.director = new Director(this.object.program('lvsj_control'), maps);
    const { mask, shift } = markBits(defaults.markMask);
    maps.settings.set(0, {
      abi: abi.abi.ABI_VERSION,
      connectionLimit: connections,
      cpus: libbpf.possibleCpus(),
      slotsUsed: 1,
      timeoutS: Array<number>(abi.connState.CONN_STATES).fill(timeoutS),
      markMask: mask,
      markShift: shift,
      icmpTimeoutS: timeoutS,
      otherTimeoutS: timeoutS,
      generation: 0,
      ...defaultSettings,
      seed: 1n,
    });
  }

  /** An empty table, which takes memory. */
  makeTable(): void {
    createShards(this.director.maps.map('connections'), this.#connections);
  }

  /** The table as at the start: empty. */
  clearTable(): void {
    const { maps } = this.director;
    this.object.program('clear_tables').run(this.#packet);
    maps.tableCounts.set(0, { entries: 0, sweeps: 0 });
    const { slotsUsed } = this.director.settings;
    for (let slot = 0; slot < slotsUsed; slot++)
      maps.slotCounts.set(slot, { active: 0, inactive: 0, persistent: 0, overloaded: 0 });
  }

  /** The one service of all packets, in the place of the one before; its slots in that order. */
  setService(spec: ServiceSpec): number[] {
    const numbers = Array.from({ length: spec.gateways }, (_, i) => i + 1);
    for (const id of numbers) {
      this.director.maps.gateways.set(id, { ...noGateway, link: `eth${id}` });
      this.director.maps.gatewayLoads.set(id, { ...measured, rttUs: 20_000 + id });
    }
    this.#service = serviceOf(spec);
    this.#write(undefined, this.#service);
    const [config] = [...this.director.maps.services()].map(([, service]) => service);
    return config?.slots.slice(0, spec.gateways) ?? [];
  }

  /** The gateway of this number (from 1) is deleted. */
  removeGateway(number: number): void {
    const have = this.#service;
    if (!have) throw new Error('there is no service yet');
    const gateways = have.gateways.filter(({ address }) => address !== addressOf(number));
    this.#service = { ...have, gateways };
    this.#write(have, this.#service);
  }

  #write(have: Service | undefined, want: Service): void {
    const { gateways } = want;
    const hops = [...(have?.gateways ?? []), ...gateways].map(({ address }): [string, Hop] => [
      `4 ${address}`,
      hopOf(Number(address.split('.')[3])),
    ]);
    const writer = new ServiceWriter(this.director, readSlots(this.director), new Map(hops));
    writer.write(have, want);
    writer.flush();
  }

  /** From now on connections end after so long a silence. */
  setTimeouts(seconds: number): void {
    const { maps, settings } = this.director;
    maps.settings.set(0, { ...settings, timeoutS: settings.timeoutS.map(() => seconds) });
  }

  get entries(): number {
    return this.director.maps.tableCounts.get(0)?.entries ?? 0;
  }

  /** What the timer does, by hand: nanoseconds of each walk; a shard with much to do takes several. */
  sweep(): number[] {
    const program = this.object.program('sweep_one');
    const walks: number[] = [];
    for (let mark = 0; mark < abi.limits.SHARDS; ) {
      const { retval, duration } = program.run(this.#packet, { mark });
      walks.push(duration);
      if (retval === 0) mark++;
    }
    return walks;
  }

  /** Timers as in a running director: entries expire. */
  startTimers(): void {
    this.director.request({ kind: abi.requestKind.REQUEST_START });
  }

  /** Nanoseconds a packet. Refused if a single one was not what the load says. */
  measure(load: Load): number {
    const before = this.director.maps.verdicts();
    const ns = this.#run(load, targets[load.kind][load.target]);
    if (load.target === 'ours') this.#checkVerdicts(load, before);
    return ns;
  }

  /** Takes the connections and templates of these packets out of the table, and nothing else. */
  forget(load: Load): void {
    this.#run(load, 'forget');
  }

  /** Nanoseconds of all decisions together. */
  decide({ count, clients, servers, keeps, asks }: Decisions): number {
    const words = Uint32Array.of(count, clients, servers, Number(keeps), Number(asks));
    this.object.map('decide').set(Buffer.alloc(4), Buffer.from(words.buffer));
    const program = this.object.program('decide_all');
    const { retval, duration } = program.run(this.#packet, { mark: fwmark });
    if (retval !== count) throw new Refused(`${retval} decisions instead of ${count}`);
    return duration;
  }

  /** Slots that were chosen, by the number of the decision; 0 = none. */
  picks(count: number): number[] {
    const entries = [...this.object.map('picks').entries(count)];
    return entries.map(([, value]) => value.readUInt32LE());
  }

  #run(load: Load, name: string): number {
    const { kind, repeat, from = 0 } = load;
    this.#setTarget(kind, this.object.program(name));
    this.#aim(load);
    const { duration } = this.object.program(`drive_${kind}`).run(this.#packet, { repeat });
    const { runs, astray } = this.#driven();
    if (runs - BigInt(from) !== BigInt(repeat))
      throw new Refused(`${runs} runs instead of ${repeat}: a signal came in between`);
    if (astray !== 0n) throw new Refused(`${astray} runs did not reach ${name}`);
    return duration;
  }

  #checkVerdicts({ kind, repeat, verdict }: Load, before: bigint[][]): void {
    const hook = kind === 'tc' ? abi.hook.HOOK_INGRESS : abi.hook.HOOK_DIRECTOR;
    const after = this.director.maps.verdicts()[hook] ?? [];
    const counts = after.map((count, i) => Number(count - (before[hook]?.[i] ?? 0n)));
    if (counts[verdict] === repeat) return;
    const named = Object.entries(abi.verdict).filter(([, number]) => counts[number]);
    const seen = named.map(([name, number]) => `${name} ${counts[number]}`).join(', ');
    throw new Refused(`of ${repeat} packets expected as verdict ${verdict} came: ${seen}`);
  }

  #setTarget(kind: Kind, program: Program): void {
    const fd = Buffer.alloc(4);
    fd.writeUInt32LE(program.fd);
    this.object.map(`${kind}_target`).set(Buffer.alloc(4), fd);
  }

  /** struct drive of drive.bpf.c. */
  #aim({ flows, clients, from = 0 }: Load): void {
    const value = Buffer.alloc(32);
    value.writeBigUInt64LE(BigInt(from), 0);
    value.writeUInt32LE(flows, 16);
    value.writeUInt32LE(clients, 20);
    value.writeUInt32LE(fwmark, 24);
    this.object.map('drive').set(Buffer.alloc(4), value);
  }

  #driven(): { runs: bigint; astray: bigint } {
    const value = this.object.map('drive').get(Buffer.alloc(4));
    if (!value) throw new Error('the drive map is empty');
    return { runs: value.readBigUInt64LE(0), astray: value.readBigUInt64LE(8) };
  }

  /** That bench_director is lvsj_director in all but its type: as many bytes of machine code. */
  checkTwin(): void {
    const bytes = ['lvsj_director', 'bench_director'].map((name) => {
      const id = String(this.object.program(name).info.id);
      const shown = run(['bpftool', '-j', 'prog', 'show', 'id', id]);
      return (JSON.parse(shown) as { bytes_jited: number }).bytes_jited;
    });
    if (bytes[0] !== bytes[1])
      throw new Refused(
        `lvsj_director has ${bytes[0]} bytes of machine code, its twin ${bytes[1]}`,
      );
  }

  close(): void {
    this.object.close();
  }
}
