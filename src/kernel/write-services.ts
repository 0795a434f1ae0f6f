// Services of a table -> the director's maps, one step of IPVS at a time, so that rr and wrr
// stand where IPVS's would after the same commands.

import { persistenceKeys } from '../model/persistence.ts';
import { flagNames } from '../model/scheduler.ts';
import type { Family, Service, ServiceGateway } from '../model/table.ts';
import { countKept, sameGateway } from '../plan/gateway-list.ts';
import type { Hop } from '../plan/hops.ts';
import type { MaglevGateway } from '../plan/maglev.ts';
import * as abi from './abi.gen.ts';
import { encode } from './codec.ts';
import type { Director } from './director.ts';
import { BpfMap, mapType } from './map.ts';
import { type Slots, schedulerNames, slotService } from './read-table.ts';
import { deleteMhTables, writeMhTables } from './write-mh.ts';
import { SlotWriter } from './write-slots.ts';

const { edit } = abi;

const keyOf = ({ fwmark, family }: Service): abi.ServiceKey => ({ fwmark, family, tier: 0 });

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
  readonly #slots: SlotWriter;
  /** Of removed services too, as long as packets may see them. */
  readonly #indexes = new Map<string, number>();
  /** Services whose config changes, with their new lists; written together by flush. */
  readonly #changed = new Map<Service, number[]>();
  readonly #edits: Edit[] = [];
  readonly #removed: Buffer[] = [];
  readonly #deleted: number[] = [];
  /** By index of their service: tables of mh that change, and those that nobody needs any more. */
  readonly #mhTables = new Map<number, MaglevGateway[]>();
  readonly #mhGone: number[] = [];

  /** all: the slots as they are now; hops: the gateways of the table to come. */
  constructor(director: Director, all: Slots, hops: Map<string, Hop>) {
    this.#director = director;
    this.#slots = new SlotWriter(director, all, hops);
    for (const [key, { index }] of director.maps.services())
      this.#indexes.set(slotService(key), index);
  }

  remove(have: Service): void {
    this.#removed.push(encode(abi.serviceKeyLayout, keyOf(have)));
    if (have.scheduler === 'mh') this.#mhGone.push(this.#indexOf(have));
    this.#deleted.push(...have.gateways.map((gateway) => this.#slots.slotOf(have, gateway)));
  }

  /** have: undefined for a new service. What packets see changes with flush. */
  write(have: Service | undefined, want: Service): void {
    if (!have) this.#slots.forget(want);
    const old = [...(have?.gateways ?? [])];
    const list = old.map((gateway) => this.#slots.slotOf(want, gateway));
    const shares = have?.scheduler === 'mh' && this.#formatShares(list);
    const kept = countKept(old, want.gateways);
    const fresh = want.gateways.slice(0, want.gateways.length - kept);
    this.#removeGateways(want, old, list, fresh.length);
    if (have?.scheduler !== want.scheduler) this.#tell(want, edit.EDIT_RESET, fresh.length);
    this.#insertGateways(want, fresh, list);
    if (!have || changedConfig(have, want)) this.#changed.set(want, list);
    this.#changeGateways(want, old);
    if (want.scheduler === 'mh' && this.#formatShares(list) !== shares)
      this.#mhTables.set(this.#indexOf(want), this.#sharesOf(want, list));
    else if (want.scheduler !== 'mh' && shares !== false) this.#mhGone.push(this.#indexOf(want));
  }

  /**
   * Puts the new configs in the place of the old ones, all in one call, and takes services away
   * in another: each returns when no packet sees an old one any more, which takes the kernel some
   * 20 ms, however many they are. A table of mh is there before its service names it, and longer;
   * a gateway is configured before a table or a list names it, and longer.
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
    const { maps: directorMaps } = this.#director;
    const services = directorMaps.map('services');
    writeMhTables(directorMaps.map('mh_tables'), this.#mhTables);
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
    for (const slot of this.#deleted) this.#slots.unconfigure(slot);
    deleteMhTables(directorMaps.map('mh_tables'), this.#mhGone);
  }

  /** What a table of mh follows from, as text. */
  #formatShares(list: number[]): string {
    return list.map((slot) => `${slot}:${this.#slots.lastWeight(slot)}`).join();
  }

  #sharesOf(service: Service, list: number[]): MaglevGateway[] {
    const shares = service.gateways.map((gateway) => {
      const slot = this.#slots.slotOf(service, gateway);
      return { ...gateway, slot, lastWeight: this.#slots.lastWeight(slot) };
    });
    return shares.toSorted((a, b) => list.indexOf(a.slot) - list.indexOf(b.slot));
  }

  /** All but those that stay: they are the wanted list behind its first `fresh`. */
  #removeGateways(want: Service, old: ServiceGateway[], list: number[], fresh: number): void {
    const kept = want.gateways.slice(fresh);
    for (let place = old.length - 1; place >= 0; place--) {
      const gateway = old[place] as ServiceGateway;
      if (kept.some((wanted) => sameGateway(wanted, gateway))) continue;
      old.splice(place, 1);
      this.#deleted.push(...list.splice(place, 1));
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_REMOVED, place);
    }
  }

  /** The oldest first: each goes to the head, as if it had come by a command of its own. */
  #insertGateways(want: Service, fresh: ServiceGateway[], list: number[]): void {
    for (const [i, gateway] of fresh.toReversed().entries()) {
      const slot = this.#slots.slotFor(want, gateway);
      this.#revive(slot);
      this.#slots.configure(slot, want, gateway);
      list.unshift(slot);
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_INSERTED, fresh.length - 1 - i);
    }
  }

  /** Deleted and added in one write: its slot is in use, but it is as new as any. */
  #revive(slot: number): void {
    const at = this.#deleted.indexOf(slot);
    if (at < 0) return;
    this.#deleted.splice(at, 1);
    this.#slots.renew(slot);
  }

  #changeGateways(want: Service, old: ServiceGateway[]): void {
    for (const gateway of want.gateways) {
      const known = old.find((candidate) => sameGateway(candidate, gateway));
      if (!known) continue;
      const { weight, upper, lower } = gateway;
      if (known.weight === weight && known.upper === upper && known.lower === lower) continue;
      this.#slots.configure(this.#slots.slotOf(want, gateway), want, gateway);
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
      tiers: 1,
      failback: 0,
      lastResort: 0,
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
}

const changedConfig = (have: Service, want: Service): boolean =>
  have.scheduler !== want.scheduler ||
  have.persistence !== want.persistence ||
  have.netmask !== want.netmask ||
  have.persistenceKey !== want.persistenceKey ||
  have.onePacket !== want.onePacket ||
  have.schedulerFlags.join() !== want.schedulerFlags.join();
