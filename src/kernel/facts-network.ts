// Links, policy rules, routes and neighbours of this network namespace, for lvsj doctor.

import type { GatewayFact, LinkFact, NeighbourFact, RouteFact, RuleFact } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { run, tryRun } from '../util/run.ts';
import { waitSync } from '../util/wait-sync.ts';
import { families } from './director.ts';

const ip = <T>(words: string): T =>
  JSON.parse(run(['ip', '-json', ...words.split(' ')]) || '[]') as T;

interface IpLink {
  ifname: string;
  flags: string[];
  mtu: number;
  master?: string;
  addr_info: { family: string; local?: string; prefixlen: number; scope: string }[];
}

export function readLinkFacts(): LinkFact[] {
  return ip<IpLink[]>('address show').map(({ ifname, flags, mtu, master, addr_info }) => ({
    name: ifname,
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    loopback: flags.includes('LOOPBACK'),
    resolves: !flags.includes('NOARP') && !flags.includes('POINTOPOINT'),
    mtu,
    master: master ?? '',
    addresses: addr_info.flatMap(({ family, local, prefixlen, scope }) =>
      local === undefined
        ? []
        : [{ family: family === 'inet' ? 4 : 6, address: local, length: prefixlen, scope }],
    ),
  }));
}

type IpRule = Record<string, string | number | null | undefined> & { priority: number };

const text = (value: string | number | null | undefined): string =>
  value === undefined || value === null ? '' : String(value);

const prefixOf = (address: IpRule[string], length: IpRule[string]): string =>
  address === undefined || address === 'all'
    ? 'all'
    : text(address) + (length === undefined ? '' : `/${length}`);

/** Conditions that a fact has no field for, as ip's own words. */
function restOf(rule: IpRule): string {
  const words = ['tos', 'ipproto', 'sport', 'dport', 'tun_id'].flatMap((name) =>
    rule[name] === undefined ? [] : [`${name} ${rule[name]}`],
  );
  for (const name of ['sport', 'dport'])
    if (rule[`${name}_start`] !== undefined)
      words.push(`${name} ${rule[`${name}_start`]}-${rule[`${name}_end`]}`);
  if (rule.uid_start !== undefined) words.push(`uidrange ${rule.uid_start}-${rule.uid_end}`);
  return words.join(' ');
}

function actionOf(rule: IpRule): string {
  if (rule.goto !== undefined) return `goto ${rule.goto}`;
  if ('nop' in rule) return 'nop';
  if (rule.table !== undefined) return `lookup ${rule.table}`;
  return text(rule.action ?? 'lookup');
}

export function toRuleFact(family: Family, rule: IpRule): RuleFact {
  const { fwmark, fwmask, table, suppress_prefixlen: suppress } = rule;
  return {
    family,
    priority: rule.priority,
    not: 'not' in rule,
    from: prefixOf(rule.src, rule.srclen),
    to: prefixOf(rule.dst, rule.dstlen),
    fwmark:
      fwmark === undefined
        ? null
        : { value: Number(fwmark) >>> 0, mask: Number(fwmask ?? 0xffffffff) >>> 0 },
    iif: text(rule.iif),
    oif: text(rule.oif),
    rest: restOf(rule),
    action: actionOf(rule),
    table: rule.goto === undefined ? text(table) : '',
    suppress: Number(suppress ?? -1),
  };
}

export const readRuleFacts = (): RuleFact[] =>
  families().flatMap((family) =>
    ip<IpRule[]>(`-${family} rule show`).map((rule) => toRuleFact(family, rule)),
  );

interface IpHop {
  gateway?: string;
  via?: { host: string };
  dev?: string;
}

interface IpRoute extends IpHop {
  type?: string;
  dst: string;
  table?: string;
  metric?: number;
  protocol?: string;
  nexthops?: IpHop[];
}

/** One fact for each next hop. */
export function toRouteFacts(family: Family, route: IpRoute): RouteFact[] {
  const { dst, type, table, metric, protocol } = route;
  const all = family === 4 ? '0.0.0.0/0' : '::/0';
  const single = dst.includes('/') ? dst : `${dst}/${family === 4 ? 32 : 128}`;
  return (route.nexthops ?? [route]).map((hop) => ({
    family,
    table: table ?? 'main',
    to: dst === 'default' ? all : single,
    type: type ?? 'unicast',
    via: hop.gateway ?? hop.via?.host ?? '',
    link: hop.dev ?? '',
    metric: metric ?? 0,
    protocol: protocol ?? '',
  }));
}

export const readRouteFacts = (): RouteFact[] =>
  families().flatMap((family) =>
    ip<IpRoute[]>(`-${family} route show table all`).flatMap((route) =>
      toRouteFacts(family, route),
    ),
  );

interface IpNeighbour {
  dst: string;
  dev: string;
  state?: string[];
}

const readNeighbours = (): NeighbourFact[] =>
  ip<IpNeighbour[]>('neighbour show').map(({ dst, dev, state }) => ({
    address: dst,
    link: dev,
    state: state?.[0] ?? '',
  }));

/** Nothing more comes of these by itself. */
const settled = ['REACHABLE', 'PERMANENT', 'NOARP', 'FAILED'];
/** The kernel asks three times, a second apart. */
const answerMs = 4000;

/**
 * Has the kernel ask for each of these, as a packet would: an entry that is old says nothing, and none
 * is there of a gateway that nobody uses.
 */
export function askNeighbours(gateways: GatewayFact[], links: LinkFact[]): NeighbourFact[] {
  const resolving = links.filter(({ up, resolves }) => up && resolves).map(({ name }) => name);
  const asked = gateways
    .filter(({ address, link }) => address !== '' && resolving.includes(link))
    .map(({ address, link }) => ({ address: address.replace(/%.*$/, ''), link }));
  if (asked.length === 0) return [];
  const known = readNeighbours();
  const lines = asked.map(({ address, link }) => {
    const old = known.find((each) => each.address === address && each.link === link);
    if (old && settled.includes(old.state) && old.state !== 'FAILED') return '';
    const isStale = old?.state === 'STALE' || old?.state === 'DELAY';
    return isStale
      ? `neighbour change ${address} dev ${link} nud probe`
      : `neighbour replace ${address} dev ${link} nud none use`;
  });
  tryRun(['ip', '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  let answers: NeighbourFact[] = [];
  waitSync(() => {
    answers = readNeighbours().filter((each) =>
      asked.some(({ address, link }) => each.address === address && each.link === link),
    );
    return answers.every(({ state }) => settled.includes(state));
  }, answerMs);
  return answers;
}

/** What ethtool says of each link that has such a thing. */
export function readLro(links: LinkFact[]): Record<string, string> {
  const states: Record<string, string> = {};
  for (const { name, loopback } of links) {
    if (loopback) continue;
    const { stdout } = tryRun(['ethtool', '-k', name]);
    const state = /^large-receive-offload: (.*)$/m.exec(stdout)?.[1];
    if (state !== undefined) states[name] = state;
  }
  return states;
}
