// What must be true of a director after each operation of operations.ts. It follows the commands in
// a table of its own, and remembers the gateway of each connection and each client.

import assert from 'node:assert/strict';
import { type Command, defaultContext, isEdit } from '../../src/ipvsadm/command.ts';
import { editTable } from '../../src/ipvsadm/edit.ts';
import { findService, sortServices } from '../../src/ipvsadm/find.ts';
import { parseRestore } from '../../src/ipvsadm/restore.ts';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { gatewayAddress } from '../../src/kernel/read-table.ts';
import type { Family, Service, ServiceKey, Table } from '../../src/model/table.ts';
import { UserError } from '../../src/util/error.ts';
import type { Bed, Outcome } from './bed.ts';
import type { Flow } from './flow.ts';
import { markMask } from './operations.ts';
import { nameOf, nameOfClient, nameOfEntry, nameOfTemplate } from './operations-names.ts';

/** These may send a client nowhere although another gateway would take it: IPVS's rule. */
const mayRefuse = ['sh', 'dh', 'mh', 'ovf'];
/** These do not ask whether a gateway is full: IPVS's rule. */
const mayOverload = ['lblc'];

/** What commands say, without what is counted. */
export function settingsOf({ services, timeouts }: Table) {
  const settings = services.map(({ totals: _, rates: __, gateways, ...service }) => ({
    ...service,
    gateways: gateways.map(({ address, port, weight, upper, lower }) => ({
      ...{ address, port, weight, upper, lower },
    })),
  }));
  return { services: sortServices(settings as Service[]), timeouts };
}

interface SlotNow {
  slot: abi.Slot;
  counts: abi.SlotCounts;
  address: string;
}

/** Slots of gateways that are in their services. */
function slotsOf({ director }: Bed): SlotNow[] {
  const { slotsUsed } = director.settings;
  const counts = director.maps.slotCounts.all(slotsUsed);
  const gateways = director.maps.gateways.all();
  return [...director.maps.slots.all(slotsUsed)]
    .filter(([, slot]) => slot.configured === 1)
    .map(([number, slot]) => ({
      ...{ slot, counts: counts.get(number)! },
      address: gatewayAddress(gateways.get(slot.gateway)),
    }));
}

const hasHandshake = ({ protocol }: Flow): boolean => protocol === 'tcp' || protocol === 'sctp';

/** Addresses of the gateways that are not drained. */
function openOf({ gateways }: Service): Set<string> {
  return new Set(gateways.filter(({ weight }) => weight > 0).map(({ address }) => address));
}

interface Home {
  flow: Flow;
  fwmark: number;
  gateway: string;
}

export class OperationsModel {
  readonly #bed: Bed;
  #table: Table;
  /** Connections that live, by nameOf. */
  readonly #homes = new Map<string, Home>();
  /** Gateways of clients, by service and masked client. */
  readonly #clients = new Map<string, string>();

  constructor(bed: Bed) {
    this.#bed = bed;
    this.#table = bed.table;
  }

  get table(): Table {
    return this.#table;
  }

  get homes(): Home[] {
    return [...this.#homes.values()];
  }

  /** What these lines make of the table; the status of the last one. */
  follow(lines: string[]): number {
    let status = 0;
    for (const parsed of parseRestore(lines.join('\n'), { ...defaultContext, markMask })) {
      assert.ok('command' in parsed, `${lines.join('\n')}: ${JSON.stringify(parsed)}`);
      status = this.#followOne(parsed.command);
    }
    return status;
  }

  /** Refused, it changes nothing. */
  #followOne(command: Command): number {
    if (command.kind === 'zero')
      return !command.key || findService(this.#table, command.key) ? 0 : 255;
    assert.ok(isEdit(command), command.kind);
    try {
      this.#table = editTable(this.#table, command);
      return 0;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.status;
    }
  }

  /** What rules, routes and nftables follow from. */
  get objects(): string {
    const { services } = this.#table;
    const addresses = services.flatMap(({ gateways }) => gateways.map(({ address }) => address));
    const marks = services.map(({ fwmark, onePacket }) => `${fwmark} ${onePacket}`);
    return [...new Set([...addresses, ...marks])].sort().join();
  }

  service(fwmark: number, family: Family): Service | undefined {
    return findService(this.#table, { fwmark, family });
  }

  /** The kernel holds the table that the commands made. */
  checkTable(): void {
    const have = this.#bed.table;
    assert.deepEqual(settingsOf(have), settingsOf(this.#table));
    for (const { gateways, totals, rates, fwmark } of have.services)
      for (const counters of [totals, rates, ...gateways.flatMap((g) => [g.totals, g.rates])])
        for (const [name, value] of Object.entries(counters))
          assert.ok(value >= 0n, `service ${fwmark}: ${name} ${value}`);
  }

  /** It holds connections and templates as they were. */
  check(): void {
    this.#checkConnections();
    this.#checkOverload();
  }

  #checkConnections(): void {
    const { maps, settings } = this.#bed.director;
    const slots = maps.slots.all(settings.slotsUsed);
    const gateways = maps.gateways.all();
    const homes: Record<string, string> = {};
    const clients: Record<string, string> = {};
    for (const [key, conn] of this.#bed.connections) {
      const gateway = gatewayAddress(gateways.get(slots.get(conn.slot)!.gateway));
      if (key.protocol !== 0) homes[nameOfEntry(key)] = gateway;
      else if (conn.seenNs > 0n)
        clients[nameOfTemplate(key, slots.get(conn.slot) as ServiceKey)] = gateway;
    }
    const want = [...this.#homes].map(([name, home]) => [name, home.gateway]);
    assert.deepEqual(homes, Object.fromEntries(want), 'connections and their gateways');
    assert.deepEqual(clients, Object.fromEntries(this.#clients), 'templates and their gateways');
  }

  /** IPVS's hysteresis, in what of it holds at any time. */
  #checkOverload(): void {
    for (const { slot, counts } of slotsOf(this.#bed)) {
      const total = counts.active + counts.inactive;
      const lower = slot.lower || slot.upper - Math.floor(slot.upper / 4);
      const what = `${total} connections, thresholds ${slot.upper} and ${slot.lower}`;
      if (slot.upper === 0 || total < lower) assert.equal(counts.overloaded, 0, what);
      else if (total >= slot.upper) assert.equal(counts.overloaded, 1, what);
    }
  }

  /** What came of a packet from the client at lvsj_ingress; whether the director is to see it. */
  ingress(flow: Flow, flags: string, run: () => Outcome): boolean {
    const home = this.#homes.get(nameOf(flow));
    const over = this.#isOver(flow, flags);
    const { verdict, mark } = run();
    if (!home || over) {
      assert.equal(verdict, 'UNKNOWN');
      this.#homes.delete(nameOf(flow));
      return true;
    }
    if (!this.#isPresent(home.gateway)) {
      assert.equal(verdict, 'GATEWAY_GONE');
      return true;
    }
    assert.deepEqual([verdict, this.#bed.gatewayOf(mark)], ['KNOWN', home.gateway]);
    return false;
  }

  egress(flow: Flow, run: () => Outcome): void {
    assert.equal(run().verdict, this.#homes.has(nameOf(flow)) ? 'KNOWN' : 'UNKNOWN');
  }

  /** What came of a packet at the director. */
  director(flow: Flow, flags: string, fwmark: number, run: () => Outcome): Outcome {
    const name = nameOf(flow);
    const home = this.#homes.get(name);
    const opens = !hasHandshake(flow) || flags === 'S';
    const over = this.#isOver(flow, flags);
    const eligible = this.#eligible(fwmark, flow.family);
    const outcome = run();
    const result = [outcome.verdict, this.#bed.gatewayOf(outcome.mark)];
    if (home && !over && this.#isPresent(home.gateway)) {
      assert.deepEqual(result, ['KNOWN', home.gateway]);
      return outcome;
    }
    if (home && !over && !opens) {
      assert.deepEqual(result, ['GATEWAY_GONE', 'none']);
      return outcome;
    }
    this.#homes.delete(name);
    const service = this.service(fwmark, flow.family);
    if (!service) assert.deepEqual(result, ['NO_SERVICE', 'none']);
    else if (!opens) assert.deepEqual(result, ['MIDSTREAM', 'none']);
    // The old connection gave its place back first: its gateway may not be full any more.
    else this.#checkChoice(flow, service, { eligible, freed: home?.gateway }, outcome);
    return outcome;
  }

  #checkChoice(
    flow: Flow,
    service: Service,
    { eligible, freed }: { eligible: Set<string>; freed: string | undefined },
    outcome: Outcome,
  ): void {
    const { verdict } = outcome;
    const gateway = this.#bed.gatewayOf(outcome.mark);
    const client = service.persistence > 0 ? nameOfClient(flow, service) : undefined;
    const known = client === undefined ? undefined : this.#clients.get(client);
    const stays = service.gateways.some(({ address, weight }) => address === known && weight > 0);
    const alone = service.onePacket && flow.protocol === 'udp';
    if (stays) {
      assert.deepEqual([verdict, gateway], [alone ? 'ONE_PACKET' : 'TEMPLATE', known]);
    } else if (verdict === 'NO_GATEWAY') {
      assert.equal(gateway, 'none');
      const refuses = mayRefuse.includes(service.scheduler);
      assert.ok(refuses || eligible.size === 0, `${[...eligible]} would have taken it`);
      return;
    } else {
      assert.equal(verdict, alone ? 'ONE_PACKET' : 'NEW');
      const asked = !mayOverload.includes(service.scheduler);
      const open = openOf(service);
      for (const address of asked ? [...open] : [])
        if (!eligible.has(address) && address !== freed) open.delete(address);
      assert.ok(open.has(gateway), `${gateway} was chosen, of ${[...open]}`);
    }
    if (!alone) this.#homes.set(nameOf(flow), { flow, fwmark: service.fwmark, gateway });
    if (client !== undefined) this.#clients.set(client, gateway);
  }

  /** These connections, and nothing else, end as by their timeouts. */
  expire(flows: Flow[]): void {
    const names = new Set(flows.map(nameOf));
    this.#bed.changeConnections((key, conn) =>
      key.protocol !== 0 && names.has(nameOfEntry(key)) ? { ...conn, seenNs: 0n } : conn,
    );
    for (const flow of flows) assert.equal(this.#bed.run('egress', flow.down()).verdict, 'UNKNOWN');
    for (const name of names) this.#homes.delete(name);
  }

  /** Templates without connections are over, and will be found so. */
  forgetClients(): void {
    const { maps } = this.#bed.director;
    this.#bed.changeConnections((key, conn) => {
      // Those that are over already the timer may be taking away: they would be put back.
      if (key.protocol !== 0 || conn.children > 0 || conn.seenNs === 0n) return conn;
      this.#clients.delete(nameOfTemplate(key, maps.slots.get(conn.slot) as ServiceKey));
      return { ...conn, seenNs: 0n };
    });
  }

  /** A SYN begins another connection where the old one is finished. */
  #isOver(flow: Flow, flags: string): boolean {
    if (!hasHandshake(flow) || flags !== 'S' || !this.#homes.has(nameOf(flow))) return false;
    return ['TIME_WAIT', 'CLOSE', 'CLOSED'].includes(this.#bed.stateOf(flow) ?? '');
  }

  #isPresent(address: string): boolean {
    return this.#table.services.some(({ gateways }) =>
      gateways.some((gateway) => gateway.address === address),
    );
  }

  /** Addresses of the gateways that a scheduler may choose now. */
  #eligible(fwmark: number, family: Family): Set<string> {
    const service = this.service(fwmark, family);
    if (!service) return new Set();
    const open = openOf(service);
    const full = new Set<string>();
    for (const { slot, counts, address } of slotsOf(this.#bed))
      if (slot.fwmark === fwmark && slot.family === family && counts.overloaded) full.add(address);
    for (const address of full) open.delete(address);
    return open;
  }
}
