// Keeps the director's timers alive with no process of ours: the kernel cancels a map's timers
// when user space holds it no more, so that one map is pinned in bpffs.
//
// `ip netns exec` gives each command a mount namespace of its own that dies with it, and a pin
// made there would too. So we step out, into the mount namespace of the farthest process above
// us that lets us in (process 1, if it does).

import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { run, tryRun } from '../util/run.ts';

const bpffs = '/sys/fs/bpf';

/** This network namespace's number: as in `net:[4026531840]`. */
export const namespaceId = (): number => statSync('/proc/self/ns/net').ino;

const pinPath = (id: number, what: string): string => `${bpffs}/lvsj-${id}-${what}`;

function parentOf(pid: number): number {
  // The program's name, in brackets, may hold blanks: count from behind it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function mountNamespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** Processes from the farthest to the nearest: 1, then our ancestors. */
function ancestors(): number[] {
  const found: number[] = [];
  for (let pid = process.ppid; pid > 1; pid = parentOf(pid)) found.unshift(pid);
  return [1, ...found];
}

/** `argv`, run outside of our own mount namespace if that is a private one. */
function outside(argv: string[]): string[] {
  const pid = ancestors().find((candidate) => mountNamespaceOf(candidate) !== undefined);
  if (pid === undefined || mountNamespaceOf(pid) === mountNamespaceOf('self')) return argv;
  return ['nsenter', `--mount=/proc/${pid}/ns/mnt`, '--', ...argv];
}

/** Pins the map with the timers, for this network namespace. bpftool mounts bpffs if need be. */
export function pinTimers(mapId: number): void {
  unpin('timers');
  run(outside(['bpftool', 'map', 'pin', 'id', String(mapId), pinPath(namespaceId(), 'timers')]));
}

/** Whether the pin is there. */
export function timersArePinned(): boolean {
  return tryRun(outside(['test', '-e', pinPath(namespaceId(), 'timers')])).status === 0;
}

export const unpinTimers = (): void => unpin('timers');

function unpin(what: string): void {
  run(outside(['rm', '-f', pinPath(namespaceId(), what)]));
}

/** Runs `ip` words in which PINNED stands for a path where it finds this program. */
export function ipWithProgram(programId: number, words: (path: string) => string[]): void {
  const path = pinPath(namespaceId(), 'director');
  unpin('director');
  run(outside(['bpftool', 'prog', 'pin', 'id', String(programId), path]));
  try {
    run(outside(['ip', ...words(path)]));
  } finally {
    unpin('director');
  }
}
