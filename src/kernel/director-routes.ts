// The director's own routes, where somebody took them away: systemd-networkd flushes tables that it does not
// know as it starts. Nothing else holds lvsj_director, so the program goes with the last of them, and lvsj_uplink_out may.

import type { Family } from '../model/table.ts';
import { directorLink, directorTable } from '../plan/objects.ts';
import { tryRun } from '../util/run.ts';
import type { Director } from './director.ts';
import { findRouteProgram, routeToDirector } from './programs.ts';
import { loadAnew } from './upgrade.ts';

/** Families whose marked packets find no director. */
export const lostFamilies = (families: Family[]): Family[] =>
  families.filter((family) => {
    const argv = ['ip', `-${family}`, 'route', 'show', 'default', 'table', String(directorTable)];
    // Of a table without routes some versions say that there is none.
    return !tryRun(argv).stdout.includes(`dev ${directorLink}`);
  });

/** Puts back the routes that are gone; the program too, loaded once more for the maps that there are. */
export function keepDirectorRoutes(director: Director, families: Family[]): void {
  const lost = lostFamilies(families);
  if (lost.length === 0) return;
  using running = findRouteProgram('lvsj_director');
  using uplinkOut = findRouteProgram('lvsj_uplink_out');
  if (running && uplinkOut) routeToDirector({ director: running, uplinkOut }, lost);
  else loadAnew(director);
}
