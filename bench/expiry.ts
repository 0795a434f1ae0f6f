// How long the kernel takes to let all connections of a table go, seen from user space.

import { setTimeout as delay } from 'node:timers/promises';
import { tableCountsLayout } from '../src/kernel/abi.gen.ts';
import type { Director } from '../src/kernel/director.ts';
import { mapLookup } from '../src/kernel/libbpf.ts';
import { Refused } from './rows.ts';

export interface Expiry {
  /** From the moment in which all were due to an empty table. */
  seconds: number;
  /** Upper bounds: of one sweep, and of all of them for each entry. */
  longestSweepMs: number;
  nsPerEntry: number;
}

const timeoutS = 1;
const deadlineMs = 10_000;

/** Reads struct table_counts without making garbage: a collection would look like a long sweep. */
function reader(director: Director): () => { entries: number; sweeps: number } {
  const { fd } = director.maps.map('table_counts');
  const key = Buffer.alloc(4);
  const value = Buffer.alloc(tableCountsLayout.size);
  const counts = { entries: 0, sweeps: 0 };
  return () => {
    mapLookup(fd, key, value);
    counts.entries = value.readUInt32LE(0);
    counts.sweeps = value.readUInt32LE(4);
    return counts;
  };
}

/**
 * A sweep lies between the last look at which nothing had gone and the first at which it was
 * counted: also where it ran on our own CPU, in a gap between two looks.
 */
export async function watchExpiry(director: Director): Promise<Expiry> {
  await delay(2 * timeoutS * 1000);
  const { maps, settings } = director;
  const read = reader(director);
  const all = read().entries;
  maps.settings.set(0, { ...settings, timeoutS: settings.timeoutS.map(() => timeoutS) });
  const start = performance.now();
  let { entries: untouched, sweeps: counted } = read();
  let [quiet, longest, sum] = [start, 0, 0];
  for (;;) {
    const { entries, sweeps } = read();
    const now = performance.now();
    if (sweeps !== counted) {
      longest = Math.max(longest, now - quiet);
      if (entries !== untouched) sum += now - quiet;
      untouched = entries;
      counted = sweeps;
    }
    if (entries === untouched) quiet = now;
    if (entries === 0) {
      const seconds = (now - start) / 1000;
      return { seconds, longestSweepMs: longest, nsPerEntry: (sum * 1e6) / all };
    }
    if (now - start > deadlineMs) throw new Refused(`${entries} entries did not expire`);
  }
}
