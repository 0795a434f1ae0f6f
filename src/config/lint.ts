// What a configuration says, but can't mean: rules that never match, and what nothing leads to.

import type { Config, RuleConfig } from '../model/config.ts';
import type { Family } from '../model/table.ts';
import {
  Earlier,
  familiesOf,
  familyOfProtocol,
  matchOf,
  regionsOf,
  type SetRegions,
} from './region.ts';
import type { Report } from './report.ts';
import type { Path } from './tree.ts';
import { protocolNames, protocolsWithPorts } from './words.ts';

/** rulePaths: of each rule of the configuration, in its file. */
export function lintRules(config: Config, rulePaths: readonly Path[], report: Report): void {
  const sets = regionsOf(config.sets);
  const earlier = new Earlier<Path>(config.rules.length);
  for (const [i, rule] of config.rules.entries()) {
    const path = rulePaths[i] ?? ['rules', i];
    if (contradicts(rule, { path, sets, report })) continue;
    const match = matchOf(rule, sets);
    // Only empty sets: what will be in them is not known.
    if (!match.byFamily[4] && !match.byFamily[6]) continue;
    const first = earlier.find(match);
    earlier.add(match, path);
    if (!first) continue;
    const line = report.lineOf(first);
    const reason = `can never match: the rule on line ${line} takes all that it would`;
    report.error({ path, reason, hint: `delete it, or put it before line ${line}` });
  }
}

interface Context {
  path: Path;
  sets: SetRegions;
  report: Report;
}

const familyName = ([family]: readonly Family[]): string => `IPv${family}`;

/** Whether no packet at all can be as the rule wants it; said then. */
function contradicts(rule: RuleConfig, { path, sets, report }: Context): boolean {
  const ports = rule.dport.length > 0 ? 'dport' : rule.sport.length > 0 ? 'sport' : undefined;
  const without = rule.protocols.find((protocol) => !protocolsWithPorts.includes(protocol));
  if (ports !== undefined && without !== undefined) {
    const reason = `protocol ${protocolName(without)} has no ports`;
    report.error({ path: [...path, ports], reason, hint: 'make two rules of it' });
    return true;
  }
  const narrow = [
    { key: 'from', families: familiesOf(rule.from, sets) },
    { key: 'to', families: familiesOf(rule.to, sets) },
    { key: 'proto', families: [...new Set(rule.protocols.flatMap(familyOfProtocol))] },
  ].filter(({ families }) => families.length === 1);
  const [first, ...others] = narrow;
  const other = others.find(({ families }) => families[0] !== first?.families[0]);
  if (!first || !other) return false;
  const [one, two] = [first, other].map(({ key, families }) => `${key} is ${familyName(families)}`);
  report.error({ path, reason: `can never match: ${one}, ${two}` });
  return true;
}

const protocolName = (number: number): string =>
  [...protocolNames].find(([, each]) => each === number)?.[0] ?? String(number);

/** Warnings; for a file whose items are all sound. */
export function lintUse(config: Config, report: Report): void {
  const { gateways, services, rules, router, sets } = config;
  const shared = new Set(
    services.flatMap((service) => service.gateways.map((each) => each.gateway)),
  );
  const wanted = new Set([router, ...rules.map(({ service }) => service)]);
  for (const { name } of gateways)
    if (!shared.has(name)) unused(['gateways', name], 'no service has this gateway', report);
  for (const { name } of services)
    if (!wanted.has(name)) unused(['services', name], 'no rule leads to this service', report);
  for (const { name, prefixes, domains } of sets)
    if (prefixes.length + domains.length === 0)
      unused(['sets', name], 'this set is empty: rules with it match nothing', report);
  lintMonitors(config, report);
}

const unused = (path: Path, reason: string, report: Report): void =>
  report.warning({ path, atKey: true, reason });

function lintMonitors({ gateways }: Config, report: Report): void {
  const watched = new Map<string, string>();
  for (const { name, monitor } of gateways)
    for (const [i, probe] of monitor.probes.entries()) {
      const target = 'address' in probe ? probe.address : 'url' in probe ? probe.url : undefined;
      if (target === undefined) continue;
      const owner = watched.get(target);
      if (owner === undefined) watched.set(target, name);
      else if (owner !== name)
        report.warning({
          path: ['gateways', name, 'monitor', 'probes', i],
          reason: `${target} is what gateway ${owner} probes, too`,
          hint: 'when it fails, both gateways seem down: give each its own',
        });
    }
}
