// Services of a table -> the director's maps, one step of IPVS at a time, so that rr and wrr
// stand where IPVS's would after the same commands.

import { persistenceKeys } from '../model/persistence.ts';
import { flagNames } from '../model/scheduler.ts';
import type { Family, Service, ServiceGateway } from '../model/table.ts';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import { encode } from './codec.ts';
import type { Director } from './director.ts';
import { type Hop, hopKey } from './hops.ts';
import { BpfMap, mapType } from './map.ts';
import { type Slots, schedulerNames, slotService, slotsByService } from './read-table.ts';

const { edit } = abi;

const keyOf = ({ fwmark, family }: Service): abi.ServiceKey => ({ fwmark, family });

const sameGateway = (a: ServiceGateway, b: ServiceGateway): boolean =>
  a.address === b.address && a.port === b.port;

/** IPv4: the mask's bytes in wire order, as the program applies it; IPv6: the prefix length. */
function netmaskNumber(family: Family, netmask: string): number {
  if (family === 6) return Number(netmask);
  return Buffer.from(netmask.split('.').map(Number)).readUInt32LE();
}

/** What lvsj_control is to be told once the lists are written. */
interface Edit {
  service: Service;
  edit: number;
  place: number;
}

export class ServiceWriter {
  readonly #director: Director;
  readonly #all: Slots;
  readonly #hops: Map<string, Hop>;
  readonly #indexes = new Map<string, number>();
  /** Slots that each service ever had; one that another service took since may still be here. */
  readonly #slots: Map<string, number[]>;
  /** Services whose config changes, with their new lists; written together by flush. */
  readonly #changed = new Map<Service, number[]>();
  readonly #edits: Edit[] = [];
  readonly #removed: Buffer[] = [];
  readonly #deleted: number[] = [];

  /** all: the slots as they are now; hops: the gateways of the table to come. */
  constructor(director: Director, all: Slots, hops: Map<string, Hop>) {
    this.#director = director;
    this.#all = all;
    this.#hops = hops;
    this.#slots = slotsByService(all.slots);
    for (const [key, { index }] of director.maps.services())
      this.#indexes.set(slotService(key), index);
  }

  remove(have: Service): void {
    this.#removed.push(encode(abi.serviceKeyLayout, keyOf(have)));
    this.#indexes.delete(slotService(have));
    this.#deleted.push(...have.gateways.map((gateway) => this.#slotOf(have, gateway)));
  }

  /** have: undefined for a new service. What packets see changes with flush. */
  write(have: Service | undefined, want: Service): void {
    if (!have) this.#forget(want);
    const old = [...(have?.gateways ?? [])];
    const list = old.map((gateway) => this.#slotOf(want, gateway));
    this.#removeGateways(want, old, list);
    const fresh = want.gateways.filter(
      (wanted) => !old.some((known) => sameGateway(known, wanted)),
    );
    if (have?.scheduler !== want.scheduler) this.#tell(want, edit.EDIT_RESET, fresh.length);
    this.#insertGateways(want, fresh, list);
    if (!have || changedConfig(have, want)) this.#changed.set(want, list);
    this.#changeGateways(want, old);
  }

  /**
   * Puts the new configs in the place of the old ones, all in one call, and takes services away
   * in another: each returns when no packet sees an old one any more, which takes the kernel some
   * 20 ms, however many they are.
   */
  flush(): void {
    const maps: BpfMap[] = [];
    const entries = [...this.#changed].map(([service, slots]): [Buffer, Buffer] => {
      const map = this.#createConfig(service, slots);
      maps.push(map);
      const fd = Buffer.alloc(4);
      fd.writeUInt32LE(map.fd);
      return [encode(abi.serviceKeyLayout, keyOf(service)), fd];
    });
    const services = this.#director.maps.map('services');
    if (entries.length > 0) services.setAll(entries);
    if (this.#removed.length > 0) services.deleteAll(this.#removed);
    for (const map of maps) map.close();
    for (const { service, edit, place } of this.#edits)
      this.#director.request({
        kind: abi.requestKind.REQUEST_EDITED,
        edit,
        place,
        key: keyOf(service),
      });
    for (const slot of this.#deleted) this.#unconfigure(slot);
  }

  #removeGateways(want: Service, old: ServiceGateway[], list: number[]): void {
    for (let place = old.length - 1; place >= 0; place--) {
      const gateway = old[place] as ServiceGateway;
      if (want.gateways.some((wanted) => sameGateway(wanted, gateway))) continue;
      old.splice(place, 1);
      this.#deleted.push(...list.splice(place, 1));
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_REMOVED, place);
    }
  }

  /** The oldest first: each goes to the head, as if it had come by a command of its own. */
  #insertGateways(want: Service, fresh: ServiceGateway[], list: number[]): void {
    for (const [i, gateway] of fresh.toReversed().entries()) {
      const slot = this.#slotFor(want, gateway);
      this.#configure(slot, want, gateway);
      list.unshift(slot);
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_INSERTED, fresh.length - 1 - i);
    }
  }

  #changeGateways(want: Service, old: ServiceGateway[]): void {
    for (const gateway of want.gateways) {
      const known = old.find((candidate) => sameGateway(candidate, gateway));
      if (!known) continue;
      const { weight, upper, lower } = gateway;
      if (known.weight === weight && known.upper === upper && known.lower === lower) continue;
      this.#configure(this.#slotOf(want, gateway), want, gateway);
      this.#tell(want, edit.EDIT_CHANGED, 0);
    }
  }

  #tell(service: Service, what: number, place: number): void {
    this.#edits.push({ service, edit: what, place });
  }

  #createConfig(service: Service, slots: number[]): BpfMap {
    const { family, persistence, netmask, scheduler, schedulerFlags } = service;
    const names = flagNames(scheduler);
    const number = Object.entries(schedulerNames).find(([, name]) => name === scheduler)?.[0];
    const config = encode(abi.serviceLayout, {
      key: keyOf(service),
      index: this.#indexOf(service),
      scheduler: Number(number),
      schedulerFlags: schedulerFlags.reduce((bits, name) => bits | (1 << names.indexOf(name)), 0),
      persistenceS: persistence,
      persistenceKey: persistenceKeys.indexOf(service.persistenceKey),
      onePacket: Number(service.onePacket),
      netmask: netmaskNumber(family, netmask),
      gatewayCount: slots.length,
      slots,
    });
    const map = BpfMap.create({
      type: mapType.array,
      name: 'service_config',
      keySize: 4,
      valueSize: config.length,
      maxEntries: 1,
      flags: 0,
    });
    map.set(Buffer.alloc(4), config);
    return map;
  }

  #indexOf(service: Service): number {
    const key = slotService(service);
    let index = this.#indexes.get(key);
    if (index !== undefined) return index;
    const taken = new Set(this.#indexes.values());
    index = 0;
    while (taken.has(index)) index++;
    this.#indexes.set(key, index);
    return index;
  }

  /** What an earlier service of this mark counted is not this one's. */
  #forget(service: Service): void {
    for (const [number] of this.#slotsOf(service)) {
      const stats = this.#all.stats.get(number);
      if (stats) this.#director.maps.slotZeros.set(number, stats);
    }
  }

  #gatewayId(service: Service, gateway: ServiceGateway): number | undefined {
    return this.#hops.get(hopKey(service.family, gateway.address))?.id;
  }

  /** The slots that this service has or had. */
  #slotsOf(service: Service): [number, abi.Slot][] {
    const numbers = this.#slots.get(slotService(service)) ?? [];
    const found = numbers.map((number): [number, abi.Slot] => [
      number,
      this.#all.slots.get(number) as abi.Slot,
    ]);
    return found.filter(([, slot]) => slotService(slot) === slotService(service));
  }

  #find(service: Service, gateway: ServiceGateway): number | undefined {
    const id = this.#gatewayId(service, gateway);
    const slots = this.#slotsOf(service);
    return slots.find(([, slot]) => slot.gateway === id && slot.port === gateway.port)?.[0];
  }

  #slotOf(service: Service, gateway: ServiceGateway): number {
    const slot = this.#find(service, gateway);
    if (slot === undefined) throw new Error(`gateway ${gateway.address} has no slot`);
    return slot;
  }

  /** The slot that it had before it was deleted, with its connections and counters, or another. */
  #slotFor(service: Service, gateway: ServiceGateway): number {
    return this.#find(service, gateway) ?? this.#newSlot();
  }

  #newSlot(): number {
    const { settings } = this.#director;
    if (settings.slotsUsed < abi.limits.MAX_SLOTS) {
      this.#director.maps.settings.set(0, { ...settings, slotsUsed: settings.slotsUsed + 1 });
      return settings.slotsUsed;
    }
    for (const [number, slot] of this.#all.slots) {
      const counts = this.#all.counts.get(number);
      const idle = counts && counts.active + counts.inactive + counts.persistent === 0;
      if (number === 0 || slot.configured || !idle) continue;
      const stats = this.#all.stats.get(number);
      if (stats) this.#director.maps.slotZeros.set(number, stats);
      return number;
    }
    throw new UserError(
      `all ${abi.limits.MAX_SLOTS} slots are in use: delete gateways from services that need fewer`,
    );
  }

  #configure(number: number, service: Service, gateway: ServiceGateway): void {
    const slot = {
      fwmark: service.fwmark,
      family: service.family,
      gateway: this.#gatewayId(service, gateway) ?? 0,
      weight: gateway.weight,
      lastWeight: gateway.weight || this.#lastWeight(number, service),
      upper: gateway.upper,
      lower: gateway.lower,
      configured: 1,
      port: gateway.port,
    };
    this.#director.maps.slots.set(number, slot);
    this.#all.slots.set(number, slot);
    const mine = this.#slots.get(slotService(service)) ?? [];
    if (!mine.includes(number)) this.#slots.set(slotService(service), [...mine, number]);
  }

  /** A weight of 0 keeps the share that the gateway had, unless it is added with it. */
  #lastWeight(number: number, service: Service): number {
    const slot = this.#all.slots.get(number);
    const known = slot?.configured && slotService(slot) === slotService(service);
    return known ? slot.lastWeight : 0;
  }

  #unconfigure(number: number): void {
    const slot = this.#all.slots.get(number);
    if (!slot) return;
    const gone = { ...slot, configured: 0 };
    this.#director.maps.slots.set(number, gone);
    this.#all.slots.set(number, gone);
  }
}

const changedConfig = (have: Service, want: Service): boolean =>
  have.scheduler !== want.scheduler ||
  have.persistence !== want.persistence ||
  have.netmask !== want.netmask ||
  have.persistenceKey !== want.persistenceKey ||
  have.onePacket !== want.onePacket ||
  have.schedulerFlags.join() !== want.schedulerFlags.join();
