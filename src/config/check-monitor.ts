// What a gateway's monitor says that can't be meant: probes that judge no family of the gateway, a quorum
// that no round reaches, and probes that see less than they seem to.

import type { GatewayConfig, MonitorConfig, ProbeConfig, Via } from '../model/config.ts';
import { familyOfProbe, probesOf } from '../model/monitor.ts';
import { buildMonitor } from './monitor.ts';
import { families } from './prefix.ts';
import type { Gateway, Item } from './read.ts';
import type { Report } from './report.ts';
import type { Path } from './tree.ts';

type Watched = Pick<GatewayConfig, 'via' | 'monitor'>;

export function checkMonitor({ path, value, lost }: Item<Gateway>, report: Report): void {
  if (value.monitor === undefined || lost.includes('monitor')) return;
  const watched = { via: value.via, monitor: buildMonitor(value.monitor, value.via) };
  const at = [...path, 'monitor'];
  checkProbes([...at, 'probes'], watched, report);
  checkQuorum(at, watched, report);
  warnOfTime(at, watched.monitor, report);
  warnOfNextHop(at, watched, report);
}

function checkProbes(path: Path, { via, monitor }: Watched, report: Report): void {
  for (const [i, probe] of monitor.probes.entries()) {
    const at = [...path, i, probe.kind];
    const family = familyOfProbe(probe);
    if (family !== undefined && !via[family])
      report.error({
        path: at,
        reason: `this is IPv${family}, but the gateway has no IPv${family} next hop`,
        hint: `ask somebody of IPv${family === 4 ? 6 : 4}, or give it one: via: { ipv${family}: … }`,
      });
    else if (families.every((each) => !probesOf({ via, monitor }, each).includes(probe)))
      report.error({
        path: at,
        reason: 'there is no next hop to ask: the link itself is the way',
        hint: 'ping somebody behind it',
      });
  }
}

/** A family that no probe judges is left to the link and the traffic: no quorum there. */
function checkQuorum(path: Path, watched: Watched, report: Report): void {
  const { quorum } = watched.monitor;
  for (const family of families) {
    const { length } = probesOf(watched, family);
    if (length > 0 && quorum > length)
      report.error({
        path: [...path, 'quorum'],
        reason: `a quorum of ${quorum}, but ${length} of the probes ${length === 1 ? 'judges' : 'judge'} IPv${family}`,
        hint: 'an address judges its own family alone',
      });
  }
}

const longMs = 60_000;

function warnOfTime(path: Path, { fall, intervalMs }: MonitorConfig, report: Report): void {
  const ms = fall * intervalMs;
  if (ms > longMs)
    report.warning({
      path: [...path, 'interval'],
      reason: `fall × interval is ${ms / 1000} s: a dead gateway is noticed late`,
      hint: 'probes are small: one a second costs nothing',
    });
}

const asksNextHop = (probe: ProbeConfig, via: GatewayConfig['via']): boolean =>
  probe.kind === 'neighbour' || probe.kind === 'bfd' || namesNextHop(probe, via);

const namesNextHop = (probe: ProbeConfig, via: GatewayConfig['via']): boolean =>
  'address' in probe && families.some((family) => addressOf(via[family]) === probe.address);

const addressOf = (via: Via | undefined): string | undefined =>
  via?.kind === 'address' ? via.address.replace(/%.*/, '') : undefined;

/** The next hop answers, too, while the provider's network behind it is dead. */
function warnOfNextHop(path: Path, { via, monitor }: Watched, report: Report): void {
  for (const family of families) {
    const probes = probesOf({ via, monitor }, family);
    const near = probes.filter((probe) => asksNextHop(probe, via));
    const first = near.find((probe) => namesNextHop(probe, via)) ?? near[0];
    if (first === undefined) continue;
    const at = [...path, 'probes', monitor.probes.indexOf(first)];
    if (near.length === probes.length && namesNextHop(first, via))
      report.warning({
        path: at,
        reason: 'the next hop says nothing of what lies behind it',
        hint: 'ask somebody beyond it; neighbour: true watches the next hop',
      });
    if (near.length < probes.length && near.length >= monitor.quorum)
      report.warning({
        path: at,
        reason: `the next hop's answer makes a quorum of ${monitor.quorum} alone, whatever is dead behind it`,
        hint: `write quorum: ${near.length + 1}`,
      });
  }
}
