// conntrack forgets what went by a gateway that is down, so that it begins anew with another address. What
// the programs meet of it they forget themselves (bpf/conntrack.h); this is for the rest: other protocols
// than TCP and UDP, kernels that give programs no such function, and what nobody sends any more.

import { gatewayMark } from '../plan/objects.ts';
import * as abi from './abi.gen.ts';
import { deleteMarked } from './ctnetlink.ts';
import type { Director } from './director.ts';

/** Whether a service keeps connections of this gateway, also of one that was taken out of it. */
function isKept({ maps, settings }: Director, id: number): boolean {
  const counts = maps.slotCounts.all(settings.slotsUsed);
  return [...maps.slots.all(settings.slotsUsed)].some(([number, slot]) => {
    if (slot.fwmark === 0 || slot.gateway !== id || slot.onDown !== abi.onDown.ON_DOWN_KEEP)
      return false;
    const { active = 0, inactive = 0 } = counts.get(number) ?? {};
    return slot.configured !== 0 || active + inactive > 0;
  });
}

/**
 * Whether it was done: all entries or none, for their marks do not tell services apart. A packet that was
 * on its way while the gateway went down may leave one entry behind: once more a second later takes it, too.
 */
export function forgetGateway(director: Director, id: number): boolean {
  if (id === 0 || isKept(director, id)) return false;
  const { bits } = director;
  deleteMarked(gatewayMark(id, bits), bits.mask);
  return true;
}
