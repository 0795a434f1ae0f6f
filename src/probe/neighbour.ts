// Asks the next hop for its hardware address, by ARP or neighbour discovery.

import { setTimeout as delay } from 'node:timers/promises';
import { askNeighbour } from '../kernel/neighbour.ts';
import { type Answer, type Job, ok, voided } from './answer.ts';

/** An answer takes less than a millisecond, as a rule; it is looked for ever more seldom. */
const mostPauseMs = 10;

export async function probeNeighbour({ target }: Job, signal: AbortSignal): Promise<Answer> {
  const began = performance.now();
  const asked = target.nextHop === '' ? undefined : askNeighbour(target);
  if (!asked) return voided(`${target.link} has no neighbours`);
  try {
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
      // Also when the time is over: it may have come by now.
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      if (asked.answered()) return ok(performance.now() - began);
      signal.throwIfAborted();
    }
  } finally {
    asked.close();
  }
}
