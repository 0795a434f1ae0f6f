// A sound draft -> the configuration as everybody else sees it: every default filled in, one form of
// each thing.

import { type Config, type GatewayConfig, mainService, type RuleConfig } from '../model/config.ts';
import { defaultPolicy } from '../model/monitor.ts';
import { flagBit, flagNames } from '../model/scheduler.ts';
import { settingRules } from '../model/setting.ts';
import { hopOf } from './check.ts';
import type { Source } from './leaves.ts';
import { buildMonitor } from './monitor.ts';
import { disjoint, families, type Prefix } from './prefix.ts';
import type { Draft, Gateway, Item, Rule, Service } from './read.ts';
import { formatRule } from './rule-name.ts';
import { mergeRanges } from './words.ts';

/** What the draft does not hold itself. */
export interface Surroundings {
  /** By set: those of its file among them. */
  prefixes: ReadonlyMap<string, readonly Prefix[]>;
  /** `file:line` of a rule. */
  at: (rule: Item<Rule>) => string;
}

export function buildConfig(draft: Draft, { prefixes, at }: Surroundings): Config {
  const { general, gateways, services, sets, rules } = draft;
  return {
    ...buildGeneral(general),
    gateways: gateways.map(({ name, value }) => buildGateway(name, value)),
    services: services.map(({ name, value }) => buildService(name, value, general.fastpath)),
    sets: sets.map(({ name, value }) => ({
      name,
      prefixes: disjoint(prefixes.get(name) ?? []).map(({ text }) => text),
      domains: [...new Set(value.domains)],
    })),
    rules: nameRules(rules.map((rule) => buildRule(rule.value, at(rule)))),
  };
}

type GeneralConfig = Omit<Config, 'gateways' | 'services' | 'sets' | 'rules'>;

function buildGeneral({ api, timeouts, ...general }: Draft['general']): GeneralConfig {
  return {
    lan: [...new Set(general.lan)],
    router: general.router === mainService ? '' : (general.router ?? ''),
    connections: general.connections,
    markMask: general['mark-mask'],
    timeouts: { tcp: timeouts.tcp, tcpFin: timeouts['tcp-fin'], udp: timeouts.udp },
    settings: Object.fromEntries(
      settingRules.map(({ name, default: usual }) => [name, general.settings[name] ?? usual]),
    ),
    hooks: general.hooks,
    api: {
      group: api.group ?? '',
      metricsListen: api.metrics?.listen ?? '',
      metricsTokenFile: api.metrics?.['token-file'] ?? '',
    },
  };
}

function buildGateway(name: string, { via, monitor, resolvers, ...rest }: Gateway): GatewayConfig {
  const hops = families.flatMap((family) => {
    const hop = via[family];
    return hop ? [[family, hopOf(rest.link, hop)] as const] : [];
  });
  return {
    name,
    ...rest,
    via: Object.fromEntries(hops),
    monitor: buildMonitor(monitor, via),
    resolvers: [...new Set(resolvers)],
  };
}

function buildService(
  name: string,
  service: Service,
  usual: 'on' | 'off',
): Config['services'][number] {
  const { gateways, scheduler, schedulerFlags, onDown, fastpath, ...rest } = service;
  const bits = schedulerFlags.map((flag) => flagBit(flag, scheduler));
  return {
    name,
    ...rest,
    onDown: onDown ?? defaultPolicy.onDown,
    fastpath: fastpath ?? (usual === 'on' ? 'careful' : 'off'),
    scheduler,
    schedulerFlags: flagNames(scheduler).filter((_, bit) => bits.includes(bit)),
    gateways: Object.entries(gateways).map(([gateway, share]) => ({ gateway, ...share })),
  };
}

function buildRule(rule: Rule, at: string): RuleConfig {
  return {
    name: rule.name ?? '',
    at,
    from: textsOf(rule.from),
    to: textsOf(rule.to),
    protocols: sorted(rule.proto),
    sport: mergeRanges(rule.sport ?? []),
    dport: mergeRanges(rule.dport ?? []),
    dscp: sorted(rule.dscp),
    links: [...new Set(rule.link)],
    nft: rule.nft ?? '',
    service: rule.service,
  };
}

const sorted = (numbers: readonly number[] = []): number[] =>
  [...new Set(numbers)].sort((a, b) => a - b);

/** Prefixes first, then sets. */
function textsOf(sources: readonly Source[] = []): string[] {
  const prefixes = sources.flatMap((source) => ('prefix' in source ? [source.prefix] : []));
  const sets = sources.flatMap((source) => ('set' in source ? [`@${source.set}`] : []));
  return [...disjoint(prefixes).map(({ text }) => text), ...new Set(sets)];
}

/** Those without a name of their own get what they say; no two have the same. */
function nameRules(rules: readonly RuleConfig[]): RuleConfig[] {
  const taken = new Set(rules.map(({ name }) => name));
  return rules.map((rule) => {
    if (rule.name !== '') return rule;
    const said = formatRule(rule);
    let name = said;
    for (let i = 2; taken.has(name); i++) name = `${said} (${i})`;
    taken.add(name);
    return { ...rule, name };
  });
}
