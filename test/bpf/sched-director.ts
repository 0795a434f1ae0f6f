// The director in the kernel as the scheduler cases want one: real edits and real packets.

import assert from 'node:assert/strict';
import * as abi from '../../src/kernel/abi.gen.ts';
import { decode, encode } from '../../src/kernel/codec.ts';
import { TypedMap } from '../../src/kernel/maps.ts';
import type { Service } from '../../src/model/table.ts';
import {
  type Client,
  type Director,
  type GatewaySettings,
  isAddress,
  type Load,
  type Protocol,
  type ServiceSettings,
} from '../cases/case.ts';
import { loadParts } from '../host/reference-load.ts';
import type { Bed } from './bed.ts';
import { Flow } from './flow.ts';
import { gatewayAddress, toGateway } from './service.ts';

interface Gateway {
  number: number;
  /** Its connections, the oldest first. */
  open: Flow[];
  closed: Flow[];
}

export class KernelDirector implements Director {
  /** A case has set counts that no connections stand for. */
  countsAreForged = false;
  readonly #bed: Bed;
  readonly #gateways = new Map<string, Gateway>();
  #family: 4 | 6 = 4;
  #onePacket = false;
  /** Each connection goes to a port of its own, so that none is known already. */
  #serverPort = 0;

  constructor(bed: Bed) {
    this.#bed = bed;
    stopLoadTimer(bed);
  }

  async begin(
    { scheduler, flags, family, persistence, onePacket = false }: ServiceSettings,
    gateways: [string, GatewaySettings][],
  ): Promise<void> {
    this.countsAreForged = false;
    this.#gateways.clear();
    this.#family = family;
    this.#onePacket = onePacket;
    this.#serverPort = 0;
    this.#bed.renewService({
      ...{ family, scheduler, schedulerFlags: flags, persistence, onePacket },
      gateways: gateways.map(([name, settings]) => [this.#address(name), settings]),
    });
    for (const id of this.#loads.all().keys()) this.#loads.set(id, noLoad);
  }

  async setScheduler({ scheduler, flags }: ServiceSettings): Promise<void> {
    this.#edit(() => ({ scheduler, schedulerFlags: flags }));
  }

  async insert(name: string, settings: GatewaySettings): Promise<void> {
    const gateway = toGateway(this.#address(name), this.#family, settings);
    this.#edit(({ gateways }) => ({ gateways: [gateway, ...gateways] }));
  }

  async edit(name: string, { weight, upper = 0, lower = 0 }: GatewaySettings): Promise<void> {
    const address = this.#address(name);
    const change = { weight, upper, lower };
    this.#edit(({ gateways }) => ({
      gateways: gateways.map((gateway) =>
        gateway.address === address ? { ...gateway, ...change } : gateway,
      ),
    }));
  }

  async remove(name: string): Promise<void> {
    const address = this.#address(name);
    this.#edit(({ gateways }) => ({
      gateways: gateways.filter((gateway) => gateway.address !== address),
    }));
  }

  async setCounts(name: string, active: number, inactive: number): Promise<void> {
    const [number] = this.#slot(name);
    const { slotCounts } = this.#bed.director.maps;
    slotCounts.set(number, { active, inactive, persistent: 0, overloaded: 0 });
    this.countsAreForged = true;
  }

  async setLoad(name: string, load: Required<Load>): Promise<void> {
    const parts = Object.entries(loadParts(load)).map(([key, part]) => [key, Number(part)]);
    this.#changeLoad(name, Object.fromEntries(parts));
  }

  async setRtt(name: string, microseconds: number): Promise<void> {
    this.#changeLoad(name, { rttUs: microseconds });
  }

  /** What is remembered gets so much older. */
  async pass(seconds: number): Promise<void> {
    const map = this.#bed.director.maps.map('server_choices');
    const older = (then: bigint) => BigInt.asUintN(64, then - BigInt(seconds) * 1_000_000_000n);
    for (const [key, value] of [...map.entries()]) {
      const choice = decode(abi.serverChoiceLayout, value);
      const { seenNs, changedNs } = choice;
      const aged = { ...choice, seenNs: older(seenNs), changedNs: older(changedNs) };
      map.set(key, encode(abi.serverChoiceLayout, aged));
    }
  }

  async open({ address, port, server }: Client, protocol: Protocol): Promise<string> {
    this.#serverPort += 1;
    const to = { server, serverPort: this.#serverPort };
    const flow = new Flow({ client: address, port, protocol, ...to });
    const { verdict, mark } = this.#bed.run('director', flow.up(), 1);
    const chosen = this.#bed.gatewayOf(mark);
    for (const [name, { open }] of this.#gateways) {
      if (this.#address(name) !== chosen) continue;
      assert.equal(verdict === 'ONE_PACKET', this.#onePacket && protocol === 'udp', verdict);
      open.push(flow);
      return name;
    }
    return chosen === 'none' ? '-' : chosen;
  }

  async close(name: string): Promise<void> {
    const { open, closed } = this.#gateways.get(name)!;
    const flow = open.shift()!;
    this.#bed.direct(flow.up('A'));
    this.#bed.direct(flow.up('FA'));
    closed.push(flow);
  }

  async end(name: string): Promise<void> {
    const { open, closed } = this.#gateways.get(name)!;
    const flow = (open.shift() ?? closed.shift())!;
    this.#bed.expire(flow);
  }

  #edit(change: (service: Service) => Partial<Service>): void {
    this.#bed.editService(change, 1, this.#family);
  }

  /** A deleted gateway that comes back is the same one. */
  #number(name: string): number {
    const known = this.#gateways.get(name);
    const number = known?.number ?? this.#gateways.size + 1;
    if (!known) this.#gateways.set(name, { number, open: [], closed: [] });
    return number;
  }

  #address(name: string): string {
    const number = this.#number(name);
    return isAddress(name) ? name : gatewayAddress(number, this.#family);
  }

  #slot(name: string): [number, abi.Slot] {
    const { maps, settings, bits } = this.#bed.director;
    const address = this.#address(name);
    const addressOf = (id: number) => this.#bed.gatewayOf((id << bits.shift) >>> 0);
    return [...maps.slots.all(settings.slotsUsed)].find(
      ([, slot]) => slot.fwmark === 1 && slot.configured && addressOf(slot.gateway) === address,
    )!;
  }

  get #loads(): TypedMap<abi.GatewayLoad> {
    return new TypedMap(this.#bed.director.maps.map('gateway_loads'), abi.gatewayLoadLayout);
  }

  #changeLoad(name: string, change: Partial<abi.GatewayLoad>): void {
    const id = this.#slot(name)[1].gateway;
    this.#loads.set(id, { ...this.#loads.get(id)!, ...change });
  }
}

const noLoad = decode(abi.gatewayLoadLayout, Buffer.alloc(abi.gatewayLoadLayout.size));

/** CLOCK_LOAD of bpf/timer.h. */
const loadTimer = 2;

/** Averages stay as a case sets them. The kernel cancels a timer whose entry is written over. */
function stopLoadTimer(bed: Bed): void {
  const clocks = bed.director.maps.map('clocks');
  const key = Buffer.alloc(4);
  key.writeUInt32LE(loadTimer);
  clocks.set(key, Buffer.alloc(clocks.valueSize));
}
