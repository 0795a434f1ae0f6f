// What holds where a configuration says nothing of failures, and which probes judge a family.

import { familyOf } from './address.ts';
import type { GatewayConfig, MonitorConfig, ProbeConfig, ServiceConfig } from './config.ts';
import type { Family } from './table.ts';

/** The next hop is asked, nobody beyond it. */
export const defaultMonitor: MonitorConfig = {
  probes: [{ kind: 'neighbour' }],
  intervalMs: 1000,
  timeoutMs: 500,
  burstMs: 100,
  rise: 3,
  fall: 3,
  quorum: 1,
  window: 20,
  hold: { first: 1000, most: 60_000 },
};

export const defaultPolicy: Pick<ServiceConfig, 'onDown' | 'failback' | 'lastResort' | 'fastpath'> =
  {
    onDown: { action: 'reset', idle: false },
    failback: { kind: 'stay' },
    lastResort: 'main',
    fastpath: 'off',
  };

/** The only family that a probe can judge, for its target is an address. */
export function familyOfProbe(probe: ProbeConfig): Family | undefined {
  if ('address' in probe) return familyOf(probe.address);
  const host = 'url' in probe ? new URL(probe.url).hostname : '';
  return /^\[|^[\d.]+$/.test(host) ? familyOf(host) : undefined;
}

/** The probes that judge this family of a gateway. */
export const probesOf = (
  { via, monitor }: Pick<GatewayConfig, 'via' | 'monitor'>,
  family: Family,
): ProbeConfig[] =>
  monitor.probes.filter((probe) => {
    const only = familyOfProbe(probe);
    // Where the link itself is the way there is no next hop to ask.
    if (probe.kind === 'neighbour' || probe.kind === 'bfd')
      return via[family] !== undefined && via[family].kind !== 'onlink';
    return via[family] !== undefined && (only ?? family) === family;
  });
