// One writer at a time in each network namespace. The lock is on the namespace itself: no file
// to clean up, and it goes with the process that holds it.

import { closeSync, openSync } from 'node:fs';
import { check, flock } from './libbpf.ts';

const LOCK_EX = 2;

/** Runs `work` while no other lvsj changes this network namespace; waits for its turn. */
export function withLock<T>(work: () => T): T {
  const fd = openSync('/proc/self/ns/net', 'r');
  try {
    check(flock(fd, LOCK_EX), 'lock this network namespace');
    return work();
  } finally {
    closeSync(fd);
  }
}
