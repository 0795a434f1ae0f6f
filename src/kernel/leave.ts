// Failback, carried out: tells connections on lower tiers to leave, by slot.leave_s of bpf/abi.h.

import type { Applied } from '../model/applied.ts';
import type { Family } from '../model/table.ts';
import { leaveOf, planLeaves } from '../plan/failback.ts';
import { Names } from './config-names.ts';
import type { Director } from './director.ts';

/** As programs tell when a connection began. */
const nowS = (): number => Number(process.hrtime.bigint() / 1_000_000_000n);

/**
 * To be called with each change of what gateways can do, and again when nextLeaveS has passed. Writes what
 * is due; the result, with what waits, is to be written in the place of `after`. The caller holds the lock.
 */
export function failBack(director: Director, before: Applied | undefined, after: Applied): Applied {
  const now = nowS();
  const leaves = planLeaves(before, after, now);
  const due = leaves.filter(({ dueS }) => dueS <= now);
  const names = new Names(after);
  const { maps, settings } = director;
  for (const [number, slot] of maps.slots.all(settings.slotsUsed)) {
    const { fwmark, leaveS } = slot;
    if (!slot.configured) continue;
    const family = slot.family as Family;
    const told = { fwmark, family, gateway: names.gatewayName(slot.gateway), leaveS };
    const next = leaveOf(told, due, after);
    if (next !== leaveS) maps.slots.set(number, { ...slot, leaveS: next });
  }
  return { ...after, leaves: leaves.filter(({ dueS }) => dueS > now) };
}

/** Seconds until failBack has something to do without a change; undefined: nothing waits. */
export function nextLeaveS({ leaves }: Pick<Applied, 'leaves'>): number | undefined {
  if (leaves.length === 0) return undefined;
  return Math.max(0, Math.min(...leaves.map(({ dueS }) => dueS)) - nowS());
}
