// What a daemon writes of gateways that are down, by their numbers in a bed.

import assert from 'node:assert/strict';
import * as abi from '../../src/kernel/abi.gen.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';
import { knownGateways } from '../../src/kernel/hops.ts';
import type { Family } from '../../src/model/table.ts';
import type { Bed } from './bed.ts';
import type { Flow } from './flow.ts';
import { gatewayAddress } from './service.ts';

/** The id of a gateway of the bed. */
export function idOf({ director }: Bed, gateway: number, family: Family = 4): number {
  const known = [...knownGateways(director.maps.gateways.all())];
  const found = known.find(([, { address }]) => address === gatewayAddress(gateway, family));
  assert.ok(found, `gateway ${gateway} is known`);
  return found[0];
}

export function takeDown(bed: Bed, gateways: number[], family: Family = 4): void {
  setDown(
    bed.director,
    gateways.map((gateway) => idOf(bed, gateway, family)),
    true,
  );
}

/** All of them. */
export function takeUp({ director }: Bed): void {
  setDown(director, [...knownGateways(director.maps.gateways.all()).keys()], false);
}

/** Flags of a gateway besides: GATEWAY_KEEPS_SOURCE and what else is tried. */
export function setFlags(bed: Bed, gateway: number, flags: number): void {
  const { gateways } = bed.director.maps;
  const id = idOf(bed, gateway);
  const entry = gateways.get(id)!;
  gateways.set(id, { ...entry, flags: abi.gatewayFlag.GATEWAY_PRESENT | flags });
}

/** Changes the slots of a service. */
export function changeSlots(
  { director: { maps, settings } }: Bed,
  fwmark: number,
  change: (slot: abi.Slot) => Partial<abi.Slot>,
): void {
  for (const [number, slot] of maps.slots.all(settings.slotsUsed))
    if (slot.fwmark === fwmark) maps.slots.set(number, { ...slot, ...change(slot) });
}

/** What becomes of the connections of a service. */
export function setOnDown(bed: Bed, fwmark: number, action: 'KEEP' | 'RESET' | 'RESCHEDULE'): void {
  changeSlots(bed, fwmark, () => ({ onDown: abi.onDown[`ON_DOWN_${action}`] }));
}

/** What ingress makes of a packet, and the director of what is left to it. */
export function passOn(bed: Bed, flow: Flow, flags?: string): string {
  const first = bed.run('ingress', flow.up(flags));
  const ended = bed.gatewayOf(first.mark) !== '-' || first.verdict === 'GATEWAY_GONE';
  if (ended) return `${first.verdict} ${bed.gatewayOf(first.mark)}`;
  const second = bed.run('director', flow.up(flags), first.mark || 1);
  return `${first.verdict} ${second.verdict} ${bed.gatewayOf(second.mark)}`;
}
