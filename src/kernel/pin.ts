// Keeps the director's timers alive with no process of ours: the kernel cancels a map's timers
// when user space holds it no more, so that one map is pinned in bpffs.
//
// `ip netns exec` gives each command a mount namespace of its own that dies with it, and a pin
// made there would too. So we step out, into the mount namespace of the farthest process above
// us that lets us in (process 1, if it does).

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
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

/** The farthest process above us that lets us look at its mount namespace. */
const outerProcess = (): number | undefined =>
  ancestors().find((candidate) => mountNamespaceOf(candidate) !== undefined);

/** `argv`, run outside of our own mount namespace if that is a private one. */
function outside(argv: string[]): string[] {
  const pid = outerProcess();
  if (pid === undefined || mountNamespaceOf(pid) === mountNamespaceOf('self')) return argv;
  // Its root too: in a chroot ours is not the mount namespace's.
  const outer = `/proc/${pid}`;
  const root = `${outer}/root`;
  return ['nsenter', `--mount=${outer}/ns/mnt`, `--root=${root}`, `--wd=${root}`, '--', ...argv];
}

/** Pins the map with the timers, for this network namespace. bpftool mounts bpffs if need be. */
export function pinTimers(mapId: number): void {
  unpinTimers();
  run(outside(['bpftool', 'map', 'pin', 'id', String(mapId), pinPath(namespaceId(), 'timers')]));
}

/** Whether the pin is there. */
export function timersArePinned(): boolean {
  return tryRun(outside(['test', '-e', pinPath(namespaceId(), 'timers')])).status === 0;
}

export const unpinTimers = (): void => unpin('timers');

/** Also what a command that was killed left there. */
export const unpinAll = (): void => unpin('*');

/** what: also a pattern, as of file names. */
function unpin(what: string): void {
  const [, name = ''] = pinPath(namespaceId(), what).split(`${bpffs}/`);
  run(outside(['find', bpffs, '-maxdepth', '1', '-name', name, '-delete']));
}

/**
 * Runs `ip` with what names a path for each of these programs. A path has the program's number, for the
 * kernel compares the names of routes' programs, not the programs: of the same name it would
 * keep the old one (bpf_lwt_prog_cmp of net/core/lwt_bpf.c).
 */
export function ipWithPrograms(
  programIds: number[],
  make: (paths: string[]) => { argv: string[]; input?: string },
): void {
  const paths = programIds.map((id) => pinPath(namespaceId(), `route-${id}`));
  unpin('route*');
  try {
    for (const [i, path] of paths.entries())
      run(outside(['bpftool', 'prog', 'pin', 'id', String(programIds[i]), path]));
    const { argv, input } = make(paths);
    run(outside(['ip', ...argv]), { input });
  } finally {
    unpin('route*');
  }
}

/** Whether some process or mount (ip netns add makes one) holds this network namespace. */
function namespaceLives(id: number): boolean {
  const name = `net:[${id}]`;
  if (readFileSync(`/proc/${outerProcess() ?? 'self'}/mountinfo`, 'utf8').includes(name))
    return true;
  return readdirSync('/proc').some((pid) => {
    try {
      return /^[0-9]+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === name;
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

/** Lets go of the tables of namespaces that were deleted with their director running. */
export function unpinDead(): void {
  const files = tryRun(outside(['ls', bpffs])).stdout.split('\n');
  for (const file of files) {
    const id = /^lvsj-([0-9]+)-/.exec(file)?.[1];
    if (id !== undefined && !namespaceLives(Number(id)))
      run(outside(['rm', '-f', `${bpffs}/${file}`]));
  }
}
