// Services of a table -> the director's maps, one step of IPVS at a time, so that rr and wrr
// stand where IPVS's would after the same commands.

import { persistenceKeys } from '../model/persistence.ts';
import { failbacks, lastResorts } from '../model/policy.ts';
import { flagNames } from '../model/scheduler.ts';
import type { Family, Service, ServiceGateway } from '../model/table.ts';
import { countKept, sameGateway } from '../plan/gateway-list.ts';
import type { Hop } from '../plan/hops.ts';
import type { MaglevGateway } from '../plan/maglev.ts';
import { splitTiers, type TierService } from '../plan/tiers.ts';
import * as abi from './abi.gen.ts';
import { encode } from './codec.ts';
import type { Director } from './director.ts';
import { BpfMap, mapType } from './map.ts';
import { type Slots, schedulerNames } from './read-table.ts';
import { deleteMhTables, writeMhTables } from './write-mh.ts';
import { SlotWriter } from './write-slots.ts';

const { edit } = abi;

const keyOf = ({ fwmark, family, tier }: TierService): abi.ServiceKey => ({ fwmark, family, tier });

/** Names a tier. */
const nameOf = ({ fwmark, family, tier }: abi.ServiceKey): string => `${fwmark} ${family} ${tier}`;

/** IPv4: the mask's bytes in wire order, as the program applies it; IPv6: the prefix length. */
function netmaskNumber(family: Family, netmask: string): number {
  if (family === 6) return Number(netmask);
  return Buffer.from(netmask.split('.').map(Number)).readUInt32LE();
}

/** What lvsj_control is to be told once the lists are written. */
interface Edit {
  tier: TierService;
  edit: number;
  place: number;
}

/** A tier that becomes another. */
interface Step {
  have: TierService | undefined;
  want: TierService;
  /** Its gateways and their slots, from what they are to what they shall be. */
  old: ServiceGateway[];
  list: number[];
  /** Gateways at the head of the wanted list that are added. */
  fresh: ServiceGateway[];
  /** Of mh, as it was: see #formatShares. */
  shares: string | undefined;
  /** Slots that were taken away. */
  left: number[];
}

export class ServiceWriter {
  readonly #director: Director;
  readonly #slots: SlotWriter;
  /** Of removed tiers too, as long as packets may see them. */
  readonly #indexes = new Map<string, number>();
  /** Tiers whose config changes, with their new lists; written together by flush. */
  readonly #changed = new Map<TierService, number[]>();
  /** Slots that leave one tier for another. */
  readonly #moving = new Map<TierService, number[]>();
  readonly #edits: Edit[] = [];
  readonly #removed: Buffer[] = [];
  readonly #deleted: number[] = [];
  /** By index of their tier: tables of mh that change, and those that nobody needs any more. */
  readonly #mhTables = new Map<number, MaglevGateway[]>();
  readonly #mhGone: number[] = [];

  /** all: the slots as they are now; hops: the gateways of the table to come. */
  constructor(director: Director, all: Slots, hops: Map<string, Hop>) {
    this.#director = director;
    this.#slots = new SlotWriter(director, all, hops);
    for (const [key, { index }] of director.maps.services()) this.#indexes.set(nameOf(key), index);
  }

  remove(have: Service): void {
    for (const tier of splitTiers(have)) this.#removeTier(tier);
    this.#deleted.push(...have.gateways.map((gateway) => this.#slots.slotOf(have, gateway)));
  }

  /** have: undefined for a new service. What packets see changes with flush. */
  write(have: Service | undefined, want: Service): void {
    if (!have) this.#slots.forget(want);
    const before = have ? splitTiers(have) : [];
    const steps = splitTiers(want).map((tier) =>
      this.#begin(
        before.find((known) => known.tier === tier.tier),
        tier,
      ),
    );
    const stays = (gateway: ServiceGateway): boolean =>
      want.gateways.some((wanted) => sameGateway(wanted, gateway));
    const gone = (have?.gateways ?? []).filter((gateway) => !stays(gateway));
    this.#deleted.push(...gone.map((gateway) => this.#slots.slotOf(want, gateway)));
    for (const step of steps) this.#removeGateways(step, stays);
    for (const step of steps) this.#follow(step);
    const kept = new Set(steps.map(({ want: { tier } }) => tier));
    for (const tier of before) if (!kept.has(tier.tier)) this.#removeTier(tier);
  }

  /**
   * Puts the new configs in the place of the old ones, all in one call, and takes tiers away in
   * another: each returns when no packet sees an old one any more, which takes the kernel some
   * 20 ms, however many they are. A table of mh is there before its tier names it, and longer; a
   * gateway is configured before a table or a list names it, and longer.
   */
  flush(): void {
    const { maps } = this.#director;
    writeMhTables(maps.map('mh_tables'), this.#mhTables);
    // Who goes to another tier is in both until that is seen: asked in order, none misses it.
    if (this.#moving.size > 0)
      this.#setConfigs((tier, list) => [...list, ...(this.#moving.get(tier) ?? [])]);
    this.#setConfigs((_, list) => list);
    if (this.#removed.length > 0) maps.map('services').deleteAll(this.#removed);
    for (const { tier, edit, place } of this.#edits)
      this.#director.request({
        kind: abi.requestKind.REQUEST_EDITED,
        edit,
        place,
        key: keyOf(tier),
      });
    for (const slot of this.#deleted) this.#slots.unconfigure(slot);
    deleteMhTables(maps.map('mh_tables'), this.#mhGone);
  }

  #setConfigs(listOf: (tier: TierService, list: number[]) => number[]): void {
    if (this.#changed.size === 0) return;
    const made = [...this.#changed].map(([tier, list]) => ({
      key: encode(abi.serviceKeyLayout, keyOf(tier)),
      map: this.#createConfig(tier, listOf(tier, list)),
    }));
    this.#director.maps.map('services').setAll(
      made.map(({ key, map }): [Buffer, Buffer] => {
        const fd = Buffer.alloc(4);
        fd.writeUInt32LE(map.fd);
        return [key, fd];
      }),
    );
    for (const { map } of made) map.close();
  }

  #removeTier(have: TierService): void {
    this.#removed.push(encode(abi.serviceKeyLayout, keyOf(have)));
    if (have.scheduler === 'mh') this.#mhGone.push(this.#indexOf(have));
  }

  #begin(have: TierService | undefined, want: TierService): Step {
    const old = [...(have?.gateways ?? [])];
    const list = old.map((gateway) => this.#slots.slotOf(want, gateway));
    const shares = have?.scheduler === 'mh' ? this.#formatShares(list) : undefined;
    const kept = countKept(old, want.gateways);
    const fresh = want.gateways.slice(0, want.gateways.length - kept);
    return { have, want, old, list, shares, fresh, left: [] };
  }

  #follow(step: Step): void {
    const { have, want, list, shares, fresh } = step;
    if (have?.scheduler !== want.scheduler) this.#tell(want, edit.EDIT_RESET, fresh.length);
    this.#insertGateways(step);
    if (!have || changedConfig(have, want)) this.#changed.set(want, list);
    this.#changeGateways(step);
    if (want.scheduler === 'mh' && this.#formatShares(list) !== shares)
      this.#mhTables.set(this.#indexOf(want), this.#sharesOf(want, list));
    else if (want.scheduler !== 'mh' && shares !== undefined)
      this.#mhGone.push(this.#indexOf(want));
  }

  /** What a table of mh follows from, as text. */
  #formatShares(list: number[]): string {
    return list.map((slot) => `${slot}:${this.#slots.lastWeight(slot)}`).join();
  }

  #sharesOf(tier: TierService, list: number[]): MaglevGateway[] {
    const shares = tier.gateways.map((gateway) => {
      const slot = this.#slots.slotOf(tier, gateway);
      return { ...gateway, slot, lastWeight: this.#slots.lastWeight(slot) };
    });
    return shares.toSorted((a, b) => list.indexOf(a.slot) - list.indexOf(b.slot));
  }

  /** All but those that stay in the list: they are the wanted one behind its first `fresh`. */
  #removeGateways(
    { want, old, list, fresh, left }: Step,
    stays: (gateway: ServiceGateway) => boolean,
  ): void {
    const kept = want.gateways.slice(fresh.length);
    for (let place = old.length - 1; place >= 0; place--) {
      const gateway = old[place] as ServiceGateway;
      if (kept.some((wanted) => sameGateway(wanted, gateway))) continue;
      old.splice(place, 1);
      left.push(...list.splice(place, 1));
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_REMOVED, place);
      const moves = stays(gateway) && !fresh.some((wanted) => sameGateway(wanted, gateway));
      if (moves) this.#moving.set(want, [...(this.#moving.get(want) ?? []), ...left.slice(-1)]);
    }
  }

  /** The oldest first: each goes to the head, as if it had come by a command of its own. */
  #insertGateways({ want, fresh, list, left }: Step): void {
    for (const [i, gateway] of fresh.toReversed().entries()) {
      const slot = this.#slots.slotFor(want, gateway);
      // Deleted and added in one write: its slot is in use, but it is as new as any.
      if (left.includes(slot)) this.#slots.renew(slot);
      this.#slots.configure(slot, want, gateway);
      list.unshift(slot);
      this.#changed.set(want, list);
      this.#tell(want, edit.EDIT_INSERTED, fresh.length - 1 - i);
    }
  }

  #changeGateways({ want, old }: Step): void {
    for (const gateway of want.gateways) {
      const known = old.find((candidate) => sameGateway(candidate, gateway));
      if (!known) continue;
      const { weight, upper, lower } = gateway;
      const slot = this.#slots.slotOf(want, gateway);
      const same = known.weight === weight && known.upper === upper && known.lower === lower;
      if (same && this.#slots.isSettled(slot, want, gateway)) continue;
      this.#slots.configure(slot, want, gateway);
      if (!same) this.#tell(want, edit.EDIT_CHANGED, 0);
    }
  }

  #tell(tier: TierService, what: number, place: number): void {
    this.#edits.push({ tier, edit: what, place });
  }

  #createConfig(tier: TierService, slots: number[]): BpfMap {
    const { family, persistence, netmask, scheduler, schedulerFlags } = tier;
    const names = flagNames(scheduler);
    const number = Object.entries(schedulerNames).find(([, name]) => name === scheduler)?.[0];
    const config = encode(abi.serviceLayout, {
      key: keyOf(tier),
      index: this.#indexOf(tier),
      scheduler: Number(number),
      schedulerFlags: schedulerFlags.reduce((bits, name) => bits | (1 << names.indexOf(name)), 0),
      persistenceS: persistence,
      persistenceKey: persistenceKeys.indexOf(tier.persistenceKey),
      onePacket: Number(tier.onePacket),
      netmask: netmaskNumber(family, netmask),
      tiers: tier.tiers,
      failback: failbacks.indexOf(tier.failback),
      lastResort: lastResorts.indexOf(tier.lastResort),
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

  #indexOf(tier: TierService): number {
    const key = nameOf(tier);
    let index = this.#indexes.get(key);
    if (index !== undefined) return index;
    const taken = new Set(this.#indexes.values());
    index = 0;
    while (taken.has(index)) index++;
    this.#indexes.set(key, index);
    return index;
  }
}

const changedConfig = (have: TierService, want: TierService): boolean =>
  have.tiers !== want.tiers ||
  have.failback !== want.failback ||
  have.lastResort !== want.lastResort ||
  have.scheduler !== want.scheduler ||
  have.persistence !== want.persistence ||
  have.netmask !== want.netmask ||
  have.persistenceKey !== want.persistenceKey ||
  have.onePacket !== want.onePacket ||
  have.schedulerFlags.join() !== want.schedulerFlags.join();
