// A director to run packets through: a network namespace of this test process's own, with links
// on which gateways lie, and a real director in it.
//
//   lan0 ── lan0p      wan1 ── wan1p      wan2 ── wan2p       (veth pairs, all in the namespace)
//                      192.0.2.0/24       198.51.100.0/24     gateways 1-100 and 101-200
//                      2001:db8:1::/64    2001:db8:2::/64
//   tag0 ── tag0p, whose packets lan0 sends: see namespace.ts
//
// The links are silent (no ARP, no multicast), so that no packet but a test's is ever counted.

import assert from 'node:assert/strict';
import * as abi from '../../src/kernel/abi.gen.ts';
import { decode, encode } from '../../src/kernel/codec.ts';
import { Director, defaults } from '../../src/kernel/director.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { objectPath } from '../../src/kernel/object.ts';
import { Program } from '../../src/kernel/program.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { gatewayAddress as addressOfEntry, readTable } from '../../src/kernel/read-table.ts';
import { writeTable } from '../../src/kernel/write-table.ts';
import { addressFromWords } from '../../src/model/address.ts';
import type { Family, Service, Table } from '../../src/model/table.ts';
import type { Flow } from './flow.ts';
import { enterNamespace, makeLinks, sendFrame, wires } from './namespace.ts';
import { type Packet, protocol } from './packet.ts';
import { type ServiceOptions, toService } from './service.ts';

export { gatewayAddress } from './service.ts';

/** In the gateway bits of no mask that a test uses. */
const keeperMark = 0xfffe;

export const hooks = ['director', 'ingress', 'egress'] as const;
export type Hook = (typeof hooks)[number];

type VerdictKey = Exclude<keyof typeof abi.verdict, 'VERDICTS' | 'VERDICT_COUNTERS'>;
export type Verdict = VerdictKey extends `VERDICT_${infer Name}` ? Name : never;

export const verdictNames: string[] = [];
for (const [name, number] of Object.entries(abi.verdict))
  if (name !== 'VERDICTS' && name !== 'VERDICT_COUNTERS')
    verdictNames[number] = name.replace('VERDICT_', '');

/** What came of a packet. */
export interface Outcome {
  verdict: Verdict;
  retval: number;
  mark: number;
}

export class Bed {
  readonly director: Director;
  readonly programs: Record<Hook, Program>;
  readonly #settings: abi.Settings;

  constructor(director: Director) {
    this.director = director;
    const { ingress, egress } = director.linkPrograms('lan');
    this.programs = {
      director: director.routeProgram(),
      ingress: new Program(ingress),
      egress: new Program(egress!),
    };
    this.#settings = director.settings;
  }

  /** What each hook has counted. */
  #counted(): bigint[] {
    return this.director.maps.verdicts().flat();
  }

  /** Runs a packet through a program; exactly one verdict is counted, and that by the program. */
  run(hook: Hook, packet: Packet | Buffer, mark = 0): Outcome {
    const bytes = Buffer.isBuffer(packet) ? packet : packet.bytes;
    const before = this.#counted();
    const { retval, mark: after } = this.programs[hook].run(bytes, { mark });
    const moved = this.#counted().flatMap((count, i) =>
      Array<number>(Number(count - before[i]!)).fill(i),
    );
    const counted = moved.map((i) => ({
      hook: hooks[Math.floor(i / abi.verdict.VERDICTS)],
      verdict: verdictNames[i % abi.verdict.VERDICTS],
    }));
    assert.equal(counted.length, 1, `one packet, but counted: ${JSON.stringify(counted)}`);
    assert.equal(counted[0]!.hook, hook);
    return { verdict: counted[0]!.verdict as Verdict, retval, mark: after };
  }

  /** The other end of this link receives it. */
  send(link: string, packet: Packet | Buffer): void {
    sendFrame(link, Buffer.isBuffer(packet) ? packet : packet.bytes);
  }

  /** A packet that lan0 receives or sends by wire, for what a test run can't do: its verdict there. */
  wire(hook: 'ingress' | 'egress', packet: Packet | Buffer): Verdict {
    const counts = () => this.director.maps.verdicts()[hooks.indexOf(hook)]!;
    const before = counts();
    this.send(wires[hook], packet);
    // The kernel hands it over at once, or when the softirq's own thread runs.
    const end = performance.now() + 1000;
    let counted = -1;
    while (counted < 0 && performance.now() < end)
      counted = counts().findIndex((count, verdict) => count !== before[verdict]);
    assert.ok(counted >= 0, `lan0 counts the packet at ${hook}`);
    return verdictNames[counted] as Verdict;
  }

  /** The gateway in a mark's gateway bits: its address; '-' = undecided, 'none' and 'refused' = decided: none. */
  gatewayOf(mark: number): string {
    const { mask, shift } = this.director.bits;
    const id = (mark & mask) >>> shift;
    if (id === 0) return '-';
    if (id === abi.limits.GATEWAY_NONE) return 'none';
    if (id === abi.limits.GATEWAY_REFUSED) return 'refused';
    return addressOfEntry(this.director.maps.gateways.get(id));
  }

  /** A packet of a service's client through the director: its gateway, by gatewayOf(). */
  direct(packet: Packet, fwmark = 1): string {
    return this.gatewayOf(this.run('director', packet, fwmark).mark);
  }

  get table(): Table {
    return readTable(this.director);
  }

  /** A connection's state as ipvsadm -Lnc names it; undefined if it has no entry. */
  stateOf({ client, port, server, protocol: name, family }: Flow): string | undefined {
    const number = protocol[name === 'icmp' && family === 6 ? 'icmpv6' : name];
    const ours = [...readConnections(this.director)].filter(
      (entry) => entry.client === client && entry.server === server && entry.clientPort === port,
    );
    return ours.find((entry) => entry.protocol === number)?.state;
  }

  /** `active/inactive` of a service's gateways, newest gateway first. */
  counts(fwmark = 1, family: Family = 4): string {
    const { gateways } = this.service(fwmark, family);
    return gateways.map(({ active, inactive }) => `${active}/${inactive}`).join(' ');
  }

  edit(edit: (table: Table) => Table): void {
    writeTable(this.director, edit);
  }

  /** Adds a service, or puts this in the place of the one with its fwmark and family. */
  setService(options: ServiceOptions): void {
    const service = toService(options);
    this.edit((table) => ({
      ...table,
      services: [
        ...table.services.filter(
          ({ fwmark, family }) => fwmark !== service.fwmark || family !== service.family,
        ),
        service,
      ],
    }));
  }

  /** The service as if it was new; the kernel's rules for it stay, which is quicker. */
  renewService(options: ServiceOptions): void {
    // A scheduler that takes another's place begins from its beginning.
    const scheduler = options.scheduler === 'lc' ? 'rr' : 'lc';
    this.setService({ ...options, scheduler, schedulerFlags: [], gateways: [] });
    this.setService(options);
  }

  service(fwmark = 1, family: Family = 4): Service {
    const found = this.table.services.find(
      (service) => service.fwmark === fwmark && service.family === family,
    );
    assert.ok(found, `a service with fwmark ${fwmark} of IPv${family}`);
    return found;
  }

  /** Changes the service as it is in the table. */
  editService(
    change: (service: Service) => Partial<Service>,
    fwmark = 1,
    family: Family = 4,
  ): void {
    this.edit((table) => ({
      ...table,
      services: table.services.map((service) =>
        service.fwmark === fwmark && service.family === family
          ? { ...service, ...change(service) }
          : service,
      ),
    }));
  }

  /** The connection table's entries. */
  get connections(): [abi.ConnKey, abi.Conn][] {
    return [...this.director.maps.connections()];
  }

  setSettings(change: Partial<abi.Settings>): void {
    const { maps, settings } = this.director;
    maps.settings.set(0, { ...settings, ...change });
  }

  /** Puts what `change` makes of each entry in its place; undefined takes it away, uncounted. */
  changeConnections(change: (key: abi.ConnKey, conn: abi.Conn) => abi.Conn | undefined): void {
    for (const shard of this.#shards()) {
      for (const [key, value] of [...shard.entries()]) {
        const conn = decode(abi.connLayout, value);
        const next = change(decode(abi.connKeyLayout, key), conn);
        if (next === conn) continue;
        if (next) shard.set(key, encode(abi.connLayout, next));
        else shard.delete(key);
      }
      shard.close();
    }
  }

  /** A connection ends as by its timeout: a packet finds its entry expired. */
  expire(flow: Flow): void {
    const port = flow.protocol === 'icmp' ? 0 : flow.serverPort;
    this.changeConnections((key, conn) => {
      const ours = key.clientPort === flow.port && key.serverPort === port;
      return ours && addressFromWords(key.client.word) === flow.client
        ? { ...conn, seenNs: 0n }
        : conn;
    });
    // This machine may have been up for less than the real timeouts.
    const { timeoutS, icmpTimeoutS } = this.director.settings;
    this.setSettings({ timeoutS: timeoutS.map(() => 5), icmpTimeoutS: 5 });
    assert.equal(this.run('egress', flow.down()).verdict, 'UNKNOWN');
    this.setSettings({ timeoutS, icmpTimeoutS });
  }

  /** As if another CPU was taking every entry away: counted out, not yet deleted. */
  markDead(): void {
    this.changeConnections((_, conn) => ({
      ...conn,
      word: (conn.word | abi.connState.CONN_DEAD) >>> 0,
    }));
    this.#zeroCounts();
  }

  *#shards(): Generator<BpfMap> {
    const { entries } = this.director.maps.tableCounts.get(0)!;
    for (const [, id] of entries === 0 ? [] : this.director.maps.map('connections').entries())
      yield BpfMap.byId(id.readUInt32LE());
  }

  /** No connections, counts zero, settings as at the start; services stay. */
  forget(): void {
    const { maps, settings } = this.director;
    maps.settings.set(0, { ...this.#settings, slotsUsed: settings.slotsUsed });
    this.changeConnections(() => undefined);
    this.#zeroCounts();
    maps.tableCounts.set(0, { ...maps.tableCounts.get(0)!, entries: 0 });
  }

  #zeroCounts(): void {
    const { maps, settings } = this.director;
    const zero = { active: 0, inactive: 0, persistent: 0, overloaded: 0 };
    for (let slot = 0; slot < settings.slotsUsed; slot++) maps.slotCounts.set(slot, zero);
  }

  /** Gateways that had another service too keep their ids. */
  clearServices(): void {
    this.edit((table) => ({
      ...table,
      services: table.services.filter(({ fwmark }) => fwmark === keeperMark),
    }));
  }

  /** Like new. */
  clear(): void {
    this.clearServices();
    this.forget();
  }

  close(): void {
    this.director.stop();
  }
}

/**
 * One for each test file: a process has one network namespace. Gateways 1 to `gateways` are
 * always there, by a service that nobody marks for, so that edits need not make them: quick.
 */
export function openBed({
  gateways = 4,
  markMask = defaults.markMask,
  object = objectPath,
  connections = 4096,
} = {}): Bed {
  enterNamespace();
  makeLinks();
  const bed = new Bed(Director.start({ connections, markMask }, object));
  const kept: [number][] = Array.from({ length: gateways }, (_, i) => [i + 1]);
  for (const family of [4, 6] as const)
    bed.setService({ fwmark: keeperMark, family, gateways: kept });
  // Also where a test file ends without close(): the pin of its timers would stay behind.
  process.once('exit', () => Director.find() && bed.close());
  return bed;
}
