// What the items of a file say of each other: names that lead nowhere, next hops, marks and names that
// two of them have, bounds of all together.

import { familyOf } from '../model/address.ts';
import { limits } from '../model/bounds.ts';
import { mainService, type Snat, type Via } from '../model/config.ts';
import { flagBit } from '../model/scheduler.ts';
import type { Family } from '../model/table.ts';
import { checkMonitor } from './check-monitor.ts';
import { nearest } from './nearest.ts';
import { families } from './prefix.ts';
import type { Draft, Gateway, Item, Rule, Service } from './read.ts';
import type { Report } from './report.ts';
import { shorten } from './shape.ts';
import type { Path } from './tree.ts';

export function checkDraft(draft: Draft, report: Report): void {
  checkGateways(draft.gateways, report);
  checkServices(draft, report);
  checkRules(draft, report);
  checkGeneral(draft, report);
}

interface Claim<K> {
  key: K;
  path: Path;
  /** Ends before the name of who had it first. */
  reason: string;
  hint?: string;
}

function onlyOnce<K>(taken: Map<K, Path>, claim: Claim<K>, report: Report): void {
  const { key, path, reason, hint } = claim;
  const first = taken.get(key);
  if (first) {
    const owner = `${first.slice(0, 2).join('.')} (line ${report.lineOf(first)})`;
    report.error({ path, reason: `${reason} ${owner}`, hint });
  } else taken.set(key, path);
}

/** The next hop of a family as the kernel knows it: a link-local one has its link behind it. */
export function hopOf(link: string, via: Via): Via {
  const local = via.kind === 'address' && /^fe[89ab]/.test(via.address);
  return local ? { ...via, address: `${via.address.replace(/%.*/, '')}%${link}` } : via;
}

function checkGateways(gateways: readonly Item<Gateway>[], report: Report): void {
  const hops = new Map<string, Path>();
  const resolvers = new Map<string, Path>();
  let count = 0;
  for (const gateway of gateways) {
    const { path, value, lost } = gateway;
    // What stands in for a next hop that can't be read says nothing.
    if (lost.includes('via')) continue;
    if (families.every((family) => !value.via[family]))
      report.error({
        path: [...path, 'via'],
        reason: 'there is no next hop in it',
        hint: 'write ipv4, ipv6 or both',
      });
    for (const family of families) {
      const via = value.via[family];
      if (via) count++;
      if (via) checkHop({ path, link: value.link, family, via }, hops, report);
      else checkSnat(path, value.snat[family], { family, report });
    }
    checkMonitor(gateway, report);
    checkResolvers(gateway, resolvers, report);
  }
  const most = limits.nextHops;
  if (count > most)
    report.error({
      path: ['gateways'],
      atKey: true,
      reason: `${count} next hops in both families together: a director knows ${most}`,
    });
}

/** A resolver is asked by one gateway: by whose, if two had it? */
function checkResolvers(
  { path, value }: Item<Gateway>,
  taken: Map<string, Path>,
  report: Report,
): void {
  for (const resolver of new Set(value.resolvers)) {
    const at = [...path, 'resolvers', value.resolvers.indexOf(resolver)];
    const family = familyOf(resolver);
    if (!value.via[family])
      report.error({
        path: at,
        reason: `${resolver} is IPv${family}, but this gateway has no IPv${family} next hop`,
        hint: `give it one: via: { ipv${family}: … }`,
      });
    const reason = `${resolver} is also that of`;
    const hint = 'one that every line reaches needs no line of its own: leave it out of both';
    onlyOnce(taken, { key: resolver, path: at, reason, hint }, report);
  }
}

/** A source address that nothing can have is a slip of its family. */
function checkSnat(path: Path, snat: Snat, { family, report }: { family: Family; report: Report }) {
  if (snat.kind !== 'address' && snat.kind !== 'npt') return;
  const what = snat.kind === 'address' ? snat.address : snat.prefix;
  report.error({
    path: [...path, 'snat', `ipv${family}`],
    reason: `${what} is IPv${family}, but this gateway has no IPv${family} next hop`,
    hint: `give it one: via: { ipv${family}: … }`,
  });
}

interface Hop {
  path: Path;
  link: string;
  family: Family;
  via: Via;
}

function checkHop({ path, link, family, via }: Hop, hops: Map<string, Path>, report: Report): void {
  const at = [...path, 'via', `ipv${family}`];
  const wanted = hopOf(link, via);
  const own = via.kind === 'address' ? via.address.split('%')[1] : undefined;
  if (own !== undefined && own !== link)
    report.error({ path: at, reason: `the next hop is on ${own}, the gateway on ${link}` });
  const word = wanted.kind === 'address' ? wanted.address : wanted.kind;
  const reason = `next hop ${word} on ${link} is also that of`;
  const key = `${family} ${link} ${word}`;
  onlyOnce(hops, { key, path: at, reason, hint: 'a gateway can be in several services' }, report);
}

function checkServices(draft: Draft, report: Report): void {
  const { services, general, names } = draft;
  const marks = new Map<number, Path>();
  if (names.services.includes(mainService)) {
    const path = ['services', mainService];
    report.error({
      path,
      atKey: true,
      reason: `"${mainService}" is the main table's name in rules`,
    });
  }
  for (const { path, value, lost } of services) {
    const { fwmark, gateways } = value;
    const at = [...path, 'fwmark'];
    checkMark({ path: at, fwmark, mask: general['mark-mask'] }, report);
    const reason = `fwmark ${fwmark} is also that of`;
    onlyOnce(marks, { key: fwmark, path: at, reason, hint: 'each service has its own' }, report);
    if (!lost.includes('scheduler')) checkFlags(path, value, report);
    checkFailover(path, value, report);
    const shares = Object.keys(gateways);
    if (shares.length === 0 && !lost.includes('gateways'))
      report.error({ path: [...path, 'gateways'], reason: 'a service needs a gateway' });
    checkShares([...path, 'gateways'], shares, { names, report });
  }
  checkTiers(draft, report);
}

/** Each tier of a service is one of its own to the director, in each family. */
function checkTiers({ services, gateways }: Draft, report: Report): void {
  const vias = new Map(gateways.map(({ name, value }) => [name, value.via]));
  const counts = services.flatMap(({ value }) =>
    families.map((family) => {
      const own = Object.entries(value.gateways).filter(([name]) => vias.get(name)?.[family]);
      return new Set(own.map(([, { tier }]) => tier)).size;
    }),
  );
  const count = counts.reduce((sum, each) => sum + each, 0);
  if (count > limits.services)
    report.error({
      path: ['services'],
      atKey: true,
      reason: `${count} tiers of services in both families together: a director holds ${limits.services}`,
    });
}

function checkMark(mark: { path: Path; fwmark: number; mask: number }, report: Report): void {
  const { path, fwmark, mask } = mark;
  if ((fwmark & mask) === 0) return;
  const lowest = (mask & -mask) >>> 0;
  const bits = `0x${mask.toString(16).padStart(8, '0')}`;
  report.error({
    path,
    reason: `fwmark 0x${fwmark.toString(16)} touches ${bits}, the bits that hold the gateway`,
    hint: lowest > 1 ? `1 to ${lowest - 1} are free` : 'take a mark without them',
  });
}

function checkFlags(path: Path, { scheduler, schedulerFlags }: Service, report: Report): void {
  for (const [i, flag] of schedulerFlags.entries()) {
    if (flagBit(flag, scheduler) !== undefined) continue;
    const reason = `the scheduler ${scheduler} has no flag "${shorten(flag)}"`;
    report.error({ path: [...path, 'scheduler-flags', i], reason });
  }
}

/** What does nothing as the service is. */
function checkFailover(path: Path, { onDown, onePacket, ...service }: Service, report: Report) {
  if (onDown !== undefined && onePacket)
    report.warning({
      path: [...path, 'on-down'],
      reason: 'does nothing: with one-packet there is no connection whose gateway could be down',
    });
  const tiers = new Set(Object.values(service.gateways).map(({ tier }) => tier));
  if (service.failback.kind !== 'stay' && tiers.size < 2)
    report.warning({
      path: [...path, 'failback'],
      reason: 'does nothing: there is one tier, so nobody has to go back to another',
      hint: 'give the gateways that are to stand by a tier: { weight: 1, tier: 2 }',
    });
}

interface Known {
  names: Draft['names'];
  report: Report;
}

function checkShares(path: Path, gateways: readonly string[], { names, report }: Known): void {
  const most = limits.gatewaysOfService;
  if (gateways.length > most)
    report.error({ path, reason: `${gateways.length} gateways: a service has at most ${most}` });
  for (const gateway of gateways) {
    if (names.gateways.includes(gateway)) continue;
    const reason = `there is no gateway "${gateway}"`;
    const hint = nearest(gateway, names.gateways);
    report.error({ path: [...path, gateway], atKey: true, reason, hint });
  }
}

function checkRules({ rules, names }: Draft, report: Report): void {
  const taken = new Map<string, Path>();
  for (const rule of rules) {
    const { path, value } = rule;
    checkService([...path, 'service'], value.service, { names, report });
    if (!checkSets(rule, { names, report })) rule.lost.push('from', 'to');
    const at = [...path, 'name'];
    if (value.name !== undefined) {
      const reason = `the name "${value.name}" is also that of`;
      onlyOnce(taken, { key: value.name, path: at, reason }, report);
    }
  }
}

function checkService(path: Path, service: string, { names, report }: Known): void {
  if (service === mainService || names.services.includes(service)) return;
  const reason = `there is no service "${service}"`;
  report.error({ path, reason, hint: nearest(service, [...names.services, mainService]) });
}

/** Whether all of them are there. */
function checkSets({ path, value }: Item<Rule>, { names, report }: Known): boolean {
  let found = true;
  for (const key of ['from', 'to'] as const)
    for (const [i, source] of (value[key] ?? []).entries()) {
      if (!('set' in source) || names.sets.includes(source.set)) continue;
      found = false;
      const reason = `there is no set "${source.set}"`;
      report.error({ path: [...path, key, i], reason, hint: nearest(source.set, names.sets) });
    }
  return found;
}

function checkGeneral({ general, gateways, names }: Draft, report: Report): void {
  if (general.router !== undefined) checkService(['router'], general.router, { names, report });
  for (const [i, link] of (general.lan ?? []).entries()) {
    const gateway = gateways.find(({ value }) => value.link === link);
    if (!gateway) continue;
    const reason = `${link} is the link of gateway ${gateway.name}, too`;
    report.warning({ path: ['lan', i], reason, hint: 'a LAN link is one that clients come in by' });
  }
}
