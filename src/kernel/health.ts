// What the monitor found lies with what is applied: readers know it without the daemon, and the next
// daemon goes on from it.

import type { Applied } from '../model/applied.ts';
import type { GatewayHealth } from '../model/health.ts';
import { readApplied, writeApplied } from './applied.ts';
import type { Director } from './director.ts';
import { failBack } from './leave.ts';
import { withLock } from './lock.ts';

/** key: gatewayKey; none: only what waited for its time is done. Returns what is applied now; undefined where nothing is. */
export function writeHealth(
  director: Director,
  changes: Readonly<Record<string, GatewayHealth>>,
): Applied | undefined {
  return withLock(() => {
    const applied = readApplied(director);
    if (!applied) return undefined;
    const found = { ...applied, health: { ...applied.health, ...changes } };
    const next = failBack(director, applied, found);
    writeApplied(director, next);
    return next;
  });
}
