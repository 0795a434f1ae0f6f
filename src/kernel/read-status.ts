// What runs here in short: for lvsj status and the API.

import type { Applied } from '../model/applied.ts';
import type { DaemonState, StatusState } from '../model/state.ts';
import type { Director } from './director.ts';
import { readFastpathState } from './fastpath.ts';
import type { DirectorMaps } from './maps.ts';
import { verdictName } from './names.ts';
import { readGatewayIdentities } from './read-gateways.ts';

const hookNames = ['director', 'ingress', 'egress', 'uplink-in', 'uplink-out'];

function readVerdicts(maps: DirectorMaps): StatusState['verdicts'] {
  const hooks = maps.verdicts().map((counts, hook) => {
    const seen = [...counts.entries()].filter(([, count]) => count > 0n);
    const named = seen.map(([number, count]) => [verdictName(number), Number(count)]);
    return [hookNames[hook] ?? hook, Object.fromEntries(named)];
  });
  return Object.fromEntries(hooks);
}

function toConfig(applied: Applied | undefined): StatusState['config'] {
  if (!applied) return null;
  const { file, generation, appliedAt, unconfirmed } = applied;
  return { file, generation, appliedAt, confirmBy: unconfirmed?.by ?? null };
}

export function readStatusState(
  director: Director,
  applied: Applied | undefined,
  daemon: DaemonState | null,
): StatusState {
  const { settings, maps } = director;
  return {
    connections: { now: maps.tableCounts.get(0)?.entries ?? 0, limit: settings.connectionLimit },
    markMask: `0x${settings.markMask.toString(16)}`,
    config: toConfig(applied),
    daemon,
    fastpath: applied?.objects.fastpath ? readFastpathState(director) : 'off',
    gateways: readGatewayIdentities(director, applied).map(({ family: _, ...gateway }) => gateway),
    verdicts: readVerdicts(maps),
  };
}
