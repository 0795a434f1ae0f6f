// How long the kernel takes to let all connections of a table go.

import { setTimeout as delay } from 'node:timers/promises';
import type { Drive } from './drive.ts';
import { Refused } from './rows.ts';

const timeoutS = 1;
const deadlineMs = 10_000;
/** So often the table is looked at: the accuracy of what comes out. */
const pollMs = 5;

/** By the timer, as in a running director: seconds from the moment in which all were due. */
export async function watchExpiry(drive: Drive): Promise<number> {
  await allOld();
  drive.setTimeouts(timeoutS);
  const start = performance.now();
  while (drive.entries > 0) {
    if (performance.now() - start > deadlineMs)
      throw new Refused(`${drive.entries} entries did not expire`);
    await delay(pollMs);
  }
  return (performance.now() - start) / 1000;
}

/** Nanoseconds of each of the timer's sweeps, one a shard. */
export interface Sweeps {
  /** Of the full table, when nothing is due and when all is. */
  idle: number[];
  due: number[];
  /** Of the same table when it is empty again. */
  empty: number[];
}

/** The same work by hand: no timer may run. */
export async function sweepByHand(drive: Drive): Promise<Sweeps> {
  const idle = drive.sweep();
  await allOld();
  drive.setTimeouts(timeoutS);
  const due = drive.sweep();
  if (drive.entries > 0) throw new Refused(`a sweep left ${drive.entries} entries`);
  return { idle, due, empty: drive.sweep() };
}

const allOld = (): Promise<void> => delay(2 * timeoutS * 1000);
