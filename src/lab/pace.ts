// Something that is done so many times a second, however long each takes.

import { setTimeout as delay } from 'node:timers/promises';
import { clockMs } from './clock.ts';

/** Until the signal. What came too late because this process did not run is made up for at once. */
export async function pace(perSecond: number, end: AbortSignal, each: () => void): Promise<void> {
  const gapMs = 1000 / perSecond;
  for (let due = clockMs(); !end.aborted; due += gapMs) {
    const early = due - clockMs();
    if (early > 0) await delay(early, undefined, { signal: end }).catch(() => {});
    if (!end.aborted) each();
  }
}
