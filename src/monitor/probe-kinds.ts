// What the verdict has to know of kinds of probes: their names, whom they judge, what traffic can say in their place.

import { familyOf } from '../model/address.ts';
import type { MonitorConfig, ProbeConfig } from '../model/config.ts';
import { familyOfProbe } from '../model/monitor.ts';
import type { Family } from '../model/table.ts';

const endpoint = (address: string, port: number): string =>
  familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;

/** Says which one it is, to people and in maps. */
export function probeName(probe: ProbeConfig): string {
  switch (probe.kind) {
    case 'ping':
      return `ping ${probe.address}`;
    case 'tcp':
      return `tcp ${endpoint(probe.address, probe.port)}`;
    case 'dns':
      return `dns ${endpoint(probe.address, probe.port)} ${probe.name}`;
    case 'http':
      return `http ${probe.url}`;
    case 'command':
      return `command ${probe.command.join(' ')}`;
    default:
      return probe.kind;
  }
}

/** What judges one family; a quorum that it hasn't enough probes for is all of them. */
export function monitorOf(config: MonitorConfig, family: Family): MonitorConfig {
  const judging = config.probes.filter((probe) => (familyOfProbe(probe) ?? family) === family);
  const probes = [...new Map(judging.map((probe) => [probeName(probe), probe])).values()];
  return { ...config, probes, quorum: Math.min(config.quorum, probes.length) };
}

/** Asks only whether packets come through: so do packets of others. */
export const asksForWay = ({ kind }: ProbeConfig): boolean =>
  kind === 'ping' || kind === 'tcp' || kind === 'neighbour';

/**
 * Those that loss and latency are measured with: pings, because nothing repeats a lost one; without
 * any what else goes all the way.
 */
export function gaugesOf({ probes }: MonitorConfig): ProbeConfig[] {
  const pings = probes.filter(({ kind }) => kind === 'ping');
  if (pings.length > 0) return pings;
  return probes.filter(({ kind }) => kind === 'tcp' || kind === 'dns' || kind === 'http');
}
