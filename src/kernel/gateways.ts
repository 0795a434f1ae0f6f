// The director's gateways as people see them, and what they can be told: how much they carry.

import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';
import { gatewayAddress } from './read-table.ts';

/** Bits a second from the internet (down) and to it (up). */
export interface BitRates {
  down: number;
  up: number;
}

export interface GatewayName {
  /** Its number in marks, routing tables and policy rules. */
  id: number;
  address: string;
  link: string;
  /** False once no service has it any more; its connections may still be there. */
  present: boolean;
}

/** What `lvsj gateway --json` prints; docs/gateway.md describes it. */
export interface Gateway extends GatewayName {
  capacity: BitRates & { downAssumed: boolean; upAssumed: boolean };
  /** Averages over some two seconds. */
  rate: BitRates;
  /** Now, of all services. */
  connections: { active: number; inactive: number };
  /** Average time from SYN to SYN-ACK, in microseconds; null where it is not known. */
  rttUs: number | null;
}

type Entry = [id: number, gateway: abi.Gateway];

/** Those that are there, and those that were and whose ids are not given away yet. */
const readEntries = ({ maps }: Director): Entry[] =>
  [...maps.gateways.all()].filter(([, gateway]) => gateway.link !== '');

const toName = ([id, gateway]: Entry): GatewayName => ({
  id,
  address: gatewayAddress(gateway),
  link: gateway.link,
  present: (gateway.flags & abi.gatewayFlag.GATEWAY_PRESENT) !== 0,
});

export const readGatewayNames = (director: Director): GatewayName[] =>
  readEntries(director).map(toName);

export function readGateways(director: Director): Gateway[] {
  const loads = director.maps.gatewayLoads.all();
  const connections = readConnectionCounts(director);
  return readEntries(director).map((entry) => {
    const [id, { capacityDown, capacityUp }] = entry;
    const name = toName(entry);
    // The load timer passes over a deleted gateway: what it knew is old.
    const load = name.present ? loads.get(id) : undefined;
    return {
      ...name,
      capacity: {
        down: Number(capacityDown) || abi.limits.ASSUMED_CAPACITY,
        up: Number(capacityUp) || abi.limits.ASSUMED_CAPACITY,
        downAssumed: capacityDown === 0n,
        upAssumed: capacityUp === 0n,
      },
      rate: { down: Number(load?.down ?? 0n) * 8, up: Number(load?.up ?? 0n) * 8 },
      connections: connections.get(id) ?? { active: 0, inactive: 0 },
      rttUs: load?.rttUs || null,
    };
  });
}

/** Of each gateway id; a gateway has a slot in each service. */
function readConnectionCounts({ maps, settings }: Director): Map<number, Gateway['connections']> {
  const counts = maps.slotCounts.all(settings.slotsUsed);
  const sums = new Map<number, Gateway['connections']>();
  for (const [number, { gateway }] of maps.slots.all(settings.slotsUsed)) {
    const { active = 0, inactive = 0 } = counts.get(number) ?? {};
    const sum = sums.get(gateway) ?? { active: 0, inactive: 0 };
    sums.set(gateway, { active: sum.active + active, inactive: sum.inactive + inactive });
  }
  return sums;
}

/** 0 = not told. The caller holds the lock. lbw sees it within a quarter of a second. */
export function writeCapacity({ maps }: Director, id: number, { down, up }: BitRates): void {
  const gateway = maps.gateways.get(id);
  if (!gateway) throw new Error(`there is no gateway ${id}`);
  maps.gateways.set(id, { ...gateway, capacityDown: BigInt(down), capacityUp: BigInt(up) });
}
