// The routes that run the director: what the kernel calls encap bpf. Nothing else holds lvsj_director, so
// whoever flushes its table (systemd-networkd does, as it starts) takes the program, too.

import type { Family } from '../model/table.ts';
import { directorLink, directorTable } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import { tryRun } from '../util/run.ts';
import type { DirectorMaps } from './maps.ts';
import { DirectorObject } from './object.ts';
import { ipWithProgram } from './pin.ts';
import { Program } from './program.ts';

const programName = 'lvsj_director';

export function addDirectorRoutes(programId: number, families: Family[]): void {
  try {
    for (const family of families)
      ipWithProgram(programId, (path) => [
        ...[`-${family}`, 'route', 'replace', 'default', 'encap', 'bpf', 'in', 'pinned', path],
        ...['dev', directorLink, 'table', String(directorTable)],
      ]);
  } catch (error) {
    throw error instanceof UserError ? new UserError(explainRouteRefusal(error.message)) : error;
  }
}

/** ip says only "not supported" where the kernel was built without programs in routes. */
export function explainRouteRefusal(message: string): string {
  return /not supported|CONFIG_LWTUNNEL/i.test(message)
    ? 'this kernel can run no eBPF program in a route: it was built without CONFIG_LWTUNNEL_BPF, ' +
        "which the director needs (Debian's, Ubuntu's, Fedora's and RHEL's kernels have it)"
    : message;
}

/** The director itself. Its routes do not say which one they run: it shares our maps. */
export function findRouteProgram(maps: DirectorMaps): Program | undefined {
  const { id } = maps.map('verdicts').info;
  return Program.find(({ name, mapIds }) => name === programName && mapIds.includes(id));
}

/** Families whose marked packets find no director. */
export const lostFamilies = (families: Family[]): Family[] =>
  families.filter((family) => {
    const argv = ['ip', `-${family}`, 'route', 'show', 'default', 'table', String(directorTable)];
    // Of a table without routes some versions say that there is none.
    return !tryRun(argv).stdout.includes(`dev ${directorLink}`);
  });

/** Puts back the routes that are gone; the program too, loaded once more for the maps that there are. */
export function keepDirectorRoutes(maps: DirectorMaps, families: Family[]): void {
  const lost = lostFamilies(families);
  if (lost.length === 0) return;
  const running = findRouteProgram(maps);
  const holder = running ?? new DirectorObject(undefined, maps);
  try {
    const { info } = holder instanceof DirectorObject ? holder.program(programName) : holder;
    addDirectorRoutes(info.id, lost);
  } finally {
    holder.close();
  }
}
