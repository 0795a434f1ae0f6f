// What a gateway is told to carry.

import type { BitRates } from '../model/state.ts';
import type { Director } from './director.ts';

/** 0 = not told. The caller holds the lock. lbw sees it within a quarter of a second. */
export function writeCapacity({ maps }: Director, id: number, { down, up }: BitRates): void {
  const gateway = maps.gateways.get(id);
  if (!gateway) throw new Error(`there is no gateway ${id}`);
  maps.gateways.set(id, { ...gateway, capacityDown: BigInt(down), capacityUp: BigInt(up) });
}
