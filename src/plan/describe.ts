// What a plan changes, in a person's words, and how many living connections feel it.

import { isDeepStrictEqual } from 'node:util';
import type { Applied } from '../model/applied.ts';
import type { Config, RuleConfig } from '../model/config.ts';
import type { PlannedChange, PlanState } from '../model/state.ts';
import { type Service, type ServiceGateway, sameService, type Table } from '../model/table.ts';
import { formatLeave, hookWords, watchWords } from './failover-words.ts';
import { sameGateway } from './gateway-list.ts';
import type { Plan } from './plan.ts';

type Verb = PlannedChange['verb'];

/** Fields that differ, as `weight 3 -> 1`. */
function diffFields(have: object, want: object, skip: readonly string[] = []): string[] {
  const before = have as Record<string, unknown>;
  return Object.entries(want).flatMap(([field, value]) => {
    if (skip.includes(field) || isDeepStrictEqual(before[field], value)) return [];
    return [`${titles[field] ?? field} ${plain(before[field])} -> ${plain(value)}`];
  });
}

/** Fields that the file calls otherwise. */
const titles: Record<string, string> = { onDown: 'on-down', lastResort: 'last-resort' };

function plain(value: unknown): string {
  if (value === undefined || value === '' || value === 0) return 'none';
  return typeof value === 'object' ? JSON.stringify(value).replaceAll('"', '') : String(value);
}

interface Named {
  name: string;
}

/** Things with names: which come, change and go. */
function diffNamed<T extends Named>(
  what: string,
  have: readonly T[],
  want: readonly T[],
  skip: readonly (keyof T & string)[] = [],
): PlannedChange[] {
  const before = new Map(have.map((item) => [item.name, item]));
  const after = new Set(want.map(({ name }) => name));
  const change = (verb: Verb, { name }: T, detail: string): PlannedChange => ({
    verb,
    what: `${what} ${name}`,
    detail,
  });
  return [
    ...want.flatMap((item) => {
      const old = before.get(item.name);
      if (!old) return [change('add', item, '')];
      const fields = diffFields(old, item, skip);
      return fields.length > 0 ? [change('change', item, fields.join(', '))] : [];
    }),
    ...have.filter(({ name }) => !after.has(name)).map((item) => change('remove', item, '')),
  ];
}

const counters = ['gateways', 'totals', 'rates'];
/** What a service does with connections whose gateway is down nobody sees while it has no gateway. */
const unseen = ({ gateways }: Service): string[] =>
  gateways.length === 0 ? [...counters, 'onDown', 'fastpath'] : counters;

/** As people count tiers. */
const fromOne = (gateway: ServiceGateway): ServiceGateway => ({
  ...gateway,
  tier: gateway.tier + 1,
});
const countsOfGateway = ['active', 'inactive', 'persistent', 'totals', 'rates', 'address', 'port'];

function diffGateways(
  name: string,
  have: ServiceGateway[],
  want: ServiceGateway[],
  nameOf: (address: string) => string,
): PlannedChange[] {
  const change = (verb: Verb, { address }: ServiceGateway, detail: string): PlannedChange => ({
    verb,
    what: `${name}: gateway ${nameOf(address)}`,
    detail,
  });
  return [
    ...want.flatMap((gateway) => {
      const old = have.find((each) => sameGateway(each, gateway));
      const tier = gateway.tier === 0 ? '' : `, tier ${gateway.tier + 1}`;
      if (!old) return [change('add', gateway, `weight ${gateway.weight}${tier}`)];
      const fields = diffFields(fromOne(old), fromOne(gateway), countsOfGateway);
      return fields.length > 0 ? [change('change', gateway, fields.join(', '))] : [];
    }),
    ...have
      .filter((gateway) => !want.some((each) => sameGateway(each, gateway)))
      .map((gateway) => change('remove', gateway, formatConnections(gateway))),
  ];
}

const connectionsOf = ({ active, inactive }: ServiceGateway): number => active + inactive;

const formatConnections = (gateway: ServiceGateway): string => {
  const count = connectionsOf(gateway);
  return count === 0 ? '' : `${count} connections lose it`;
};

function diffServices(plan: Plan, config: Config): PlannedChange[] {
  const { have, table: want } = plan;
  const nameOf = (address: string): string =>
    plan.gateways.find((each) => each.address === address)?.name ?? address;
  const title = ({ fwmark, family }: Service): string => {
    const name = config.services.find((each) => each.fwmark === fwmark)?.name;
    return `service ${name ?? `of mark ${fwmark}`} (IPv${family})`;
  };
  return [
    ...want.services.flatMap((service) => {
      const old = have.services.find((each) => sameService(each, service));
      const name = title(service);
      const own = old ? diffFields(old, service, unseen(old)) : [];
      const first: PlannedChange[] = old
        ? own.map((detail) => ({ verb: 'change', what: name, detail }))
        : [{ verb: 'add', what: name, detail: service.scheduler }];
      return [...first, ...diffGateways(name, old?.gateways ?? [], service.gateways, nameOf)];
    }),
    ...have.services
      .filter((service) => !want.services.some((each) => sameService(each, service)))
      .map((service): PlannedChange => {
        const count = service.gateways.reduce((sum, each) => sum + connectionsOf(each), 0);
        const detail = count === 0 ? '' : `${count} connections lose it`;
        return { verb: 'remove', what: title(service), detail };
      }),
  ];
}

/** What the table does not show: where a gateway lies, what of it is written into nftables, how it is watched. */
const gatewaysOf = (config: Config | undefined): (Named & object)[] =>
  (config?.gateways ?? []).map((gateway) => {
    const { monitor: _, resolvers: __, ...rest } = gateway;
    return { ...rest, ...watchWords(gateway) };
  });

/** What it does not show of services, once both have them. */
const servicesOf = (config: Config | undefined, other: Config | undefined): (Named & object)[] => {
  const names = new Set(other?.services.map(({ name }) => name));
  return (config?.services ?? [])
    .filter(({ name }) => names.has(name))
    .map(({ name, onDown, failback }) => ({
      name,
      'idle connections': onDown.idle ? 'reset at once' : '',
      'lower tiers are left': formatLeave(failback),
    }));
};

const hooksOf = (config: Config | undefined): (Named & object)[] =>
  (config?.hooks ?? []).map(hookWords);
const rulesOf = (config: Config | undefined): RuleConfig[] => config?.rules ?? [];

/** A file that says the same things in another order of rules says something else. */
function diffOrder(have: RuleConfig[], want: RuleConfig[]): PlannedChange[] {
  const common = (rules: RuleConfig[], others: RuleConfig[]): string => {
    const names = new Set(others.map(({ name }) => name));
    return rules.flatMap(({ name }) => (names.has(name) ? [name] : [])).join('\n');
  };
  return common(have, want) === common(want, have)
    ? []
    : [{ verb: 'change', what: 'rules', detail: 'their order' }];
}

function countConnections(have: Table, { table, moves }: Plan): PlanState['connections'] {
  const counts = { total: 0, move: 0, cut: 0 };
  const moving = new Set(moves.map(({ from }) => from));
  for (const service of have.services) {
    const next = table.services.find((each) => sameService(each, service));
    for (const gateway of service.gateways) {
      const count = connectionsOf(gateway);
      counts.total += count;
      if (moving.has(gateway.address)) counts.move += count;
      else if (!next?.gateways.some((each) => sameGateway(each, gateway))) counts.cut += count;
    }
  }
  return counts;
}

export interface DescribeInput {
  config: Config;
  applied: Applied | undefined;
  have: Table;
  plan: Plan;
  /** What the kernel lacks of what is applied, in words. */
  repairs: string[];
}

const scalars = (config: Config | undefined): object => {
  const { lan, router, timeouts, settings, api } = config ?? {};
  return { lan, router, timeouts, settings, api };
};

export function describePlan(input: DescribeInput): PlanState {
  const { config, applied, have, plan, repairs } = input;
  const known = applied?.config;
  const general = known ? diffFields(scalars(known), scalars(config)) : [];
  return {
    changes: [
      ...repairs.map((what): PlannedChange => ({ verb: 'repair', what, detail: '' })),
      ...general.map((detail): PlannedChange => ({ verb: 'change', what: 'director', detail })),
      ...diffNamed('gateway', gatewaysOf(known), gatewaysOf(config)),
      ...plan.moves.map(
        ({ from, address, link }): PlannedChange => ({
          verb: 'change',
          what: `next hop ${from}`,
          detail: `now ${address} on ${link}; its connections follow`,
        }),
      ),
      ...diffServices(plan, config),
      ...diffNamed('service', servicesOf(known, config), servicesOf(config, known)),
      ...diffNamed('set', known?.sets ?? [], config.sets),
      ...diffNamed('rule', rulesOf(known), rulesOf(config), ['at']),
      ...diffOrder(rulesOf(known), rulesOf(config)),
      ...diffNamed('hook', hooksOf(known), hooksOf(config)),
    ],
    connections: countConnections(have, plan),
  };
}
