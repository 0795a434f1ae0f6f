// The slots of services: which one a gateway has or gets, and what stands in it.

import { fastpaths, onDowns } from '../model/policy.ts';
import type { Service, ServiceGateway } from '../model/table.ts';
import { type Hop, hopKey } from '../plan/hops.ts';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';
import { type Slots, slotService, slotsByService } from './read-table.ts';

export class SlotWriter {
  readonly #director: Director;
  readonly #all: Slots;
  readonly #hops: Map<string, Hop>;
  /** Slots that each service ever had; one that another service took since may still be here. */
  readonly #slots: Map<string, number[]>;

  /** all: the slots as they are now; hops: the gateways of the table to come. */
  constructor(director: Director, all: Slots, hops: Map<string, Hop>) {
    this.#director = director;
    this.#all = all;
    this.#hops = hops;
    this.#slots = slotsByService(all.slots);
  }

  slotOf(service: Service, gateway: ServiceGateway): number {
    const slot = this.#find(service, gateway);
    if (slot === undefined) throw new Error(`gateway ${gateway.address} has no slot`);
    return slot;
  }

  /** The slot that it had in another tier or before it was deleted, with its connections and counters, or another. */
  slotFor(service: Service, gateway: ServiceGateway): number {
    return this.#find(service, gateway) ?? this.#newSlot();
  }

  lastWeight(number: number): number {
    return this.#all.slots.get(number)?.lastWeight ?? 0;
  }

  /** Whether it stands as it is wanted, but for what an edit of IPVS's says. */
  isSettled(number: number, service: Service, gateway: ServiceGateway): boolean {
    const slot = this.#all.slots.get(number);
    return (
      slot?.tier === gateway.tier &&
      slot.onDown === onDowns.indexOf(service.onDown) &&
      slot.fastpath === fastpaths.indexOf(service.fastpath)
    );
  }

  configure(number: number, service: Service, gateway: ServiceGateway): void {
    const before = this.#before(number, service);
    const slot = {
      fwmark: service.fwmark,
      family: service.family,
      gateway: this.#gatewayId(service, gateway) ?? 0,
      weight: gateway.weight,
      lastWeight: gateway.weight || (before?.lastWeight ?? 0),
      upper: gateway.upper,
      lower: gateway.lower,
      configured: 1,
      port: gateway.port,
      tier: gateway.tier,
      onDown: onDowns.indexOf(service.onDown),
      leaveS: before?.leaveS ?? 0,
      fastpath: fastpaths.indexOf(service.fastpath),
    };
    this.#director.maps.slots.set(number, slot);
    this.#all.slots.set(number, slot);
    const mine = this.#slots.get(slotService(service)) ?? [];
    if (!mine.includes(number)) this.#slots.set(slotService(service), [...mine, number]);
  }

  unconfigure(number: number): void {
    const slot = this.#all.slots.get(number);
    if (!slot) return;
    const gone = { ...slot, configured: 0 };
    this.#director.maps.slots.set(number, gone);
    this.#all.slots.set(number, gone);
  }

  /** What it had counts no more once it is configured again; packets see it as it is until then. */
  renew(number: number): void {
    const slot = this.#all.slots.get(number);
    if (slot) this.#all.slots.set(number, { ...slot, configured: 0 });
  }

  /** What an earlier service of this mark counted is not this one's. */
  forget(service: Service): void {
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

  /**
   * What stands in it of the same gateway, unless that is added with this write: its newest weight that
   * was not 0, and who must leave it.
   */
  #before(number: number, service: Service): abi.Slot | undefined {
    const slot = this.#all.slots.get(number);
    return slot?.configured && slotService(slot) === slotService(service) ? slot : undefined;
  }
}
