// The gateways of a configuration in the environment that there is: which next hop each has now, and
// whether a new connection can go there.

import { gatewayKey } from '../model/applied.ts';
import type { Config, GatewayConfig, Snat, Via } from '../model/config.ts';
import type { Environment, LinkFacts } from '../model/environment.ts';
import { contains } from '../model/prefix.ts';
import type { Family } from '../model/table.ts';
import { type KnownGateway, type KnownGateways, noNextHop } from './hops.ts';

export interface ResolvedGateway {
  /** gatewayKey */
  key: string;
  name: string;
  family: Family;
  link: string;
  /** As the table writes it; '' while nobody knows it. */
  address: string;
  /** Why no new connection can go there, in words; '' if one can. */
  unavailable: string;
  snat: Snat;
  /** See GatewayPolicy. */
  onlink: boolean;
  /** The id that it has, or had; 0 = none yet. */
  id: number;
}

const families = [4, 6] as const satisfies Family[];
const familyName = { 4: 'IPv4', 6: 'IPv6' } as const;

/** How narrow a link's network around this address is; -1: it has none. */
const reach = ({ addresses }: LinkFacts, address: string): number =>
  Math.max(
    -1,
    ...addresses
      .filter((own) => contains(`${own.peer ?? own.address}/${own.length}`, address))
      .map(({ length }) => length),
  );

/** Whether the kernel finds it on the link by itself. */
function isNear(address: string, facts: LinkFacts): boolean {
  const [via = ''] = address.split('%');
  const isNone = via === '' || via === noNextHop[4] || via === noNextHop[6];
  return isNone || via.startsWith('fe80:') || reach(facts, via) >= 0;
}

/** Whether the address alone doesn't tell the link, so that it must be named. */
function isScoped(address: string, link: string, { links }: Environment): boolean {
  if (address.startsWith('fe80:')) return true;
  const own = links.find(({ name }) => name === link);
  const mine = own ? reach(own, address) : -1;
  return mine < 0 || links.some((other) => other !== own && reach(other, address) >= mine);
}

/** The next hop, '' where the link itself is the way, or undefined while it is not known. */
function findNextHop(
  via: Via,
  link: string,
  family: Family,
  { defaults }: Environment,
): string | undefined {
  if (via.kind === 'onlink') return '';
  if (via.kind === 'address') return via.address;
  const routes = defaults.filter((each) => each.family === family && each.link === link);
  return routes.sort((a, b) => a.metric - b.metric)[0]?.via;
}

interface Writing {
  link: string;
  family: Family;
  environment: Environment;
  /** What it was until now. */
  before: KnownGateway | undefined;
}

/** The next hop as the table writes it; '' if nobody knows one. */
function writeAddress(
  nextHop: string | undefined,
  { link, family, environment, before }: Writing,
): string {
  // One that is away keeps what it had, for it may come back with it: a link that is down has no
  // addresses that would tell how to write it.
  const [plain, scope] = before?.address.split('%') ?? [];
  if (nextHop === undefined || nextHop === plain)
    if (before && before.link === link && (scope ?? link) === link) return before.address;
  if (nextHop === undefined) return '';
  if (nextHop === '') return `${noNextHop[family]}%${link}`;
  return isScoped(nextHop, link, environment) ? `${nextHop}%${link}` : nextHop;
}

/** What of the link keeps new connections away, in words; '' if nothing does. */
export function linkProblem(
  link: string,
  facts: Pick<LinkFacts, 'up' | 'carrier'> | undefined,
): string {
  if (!facts) return `there is no link ${link}`;
  if (!facts.up) return `link ${link} is down`;
  return facts.carrier ? '' : `link ${link} has no carrier`;
}

function problemOf(
  { link, snat }: GatewayConfig,
  family: Family,
  facts: LinkFacts | undefined,
  address: string | undefined,
): string {
  const problem = linkProblem(link, facts);
  if (problem !== '') return problem;
  if (address === undefined)
    return `no ${familyName[family]} default route of link ${link} tells the next hop`;
  const own = facts?.addresses.some((each) => each.family === family && each.global);
  const needsOwn = snat[family].kind === 'masquerade' && !own;
  return needsOwn ? `link ${link} has no ${familyName[family]} address` : '';
}

/** `auto` and `onlink` serve IPv6 only where the provider does. */
const isServed = (via: Via, family: Family, facts: LinkFacts | undefined): boolean =>
  via.kind === 'address' ||
  family === 4 ||
  (facts?.addresses.some((each) => each.family === family && each.global) ?? false);

function resolve(
  gateway: GatewayConfig,
  family: Family,
  via: Via,
  { environment, ids, known }: ResolveInput,
): ResolvedGateway[] {
  const { name, link, snat } = gateway;
  const key = gatewayKey(name, family);
  const id = ids[key] ?? 0;
  const facts = environment.links.find((each) => each.name === link);
  if (id === 0 && !isServed(via, family, facts)) return [];
  const nextHop = findNextHop(via, link, family, environment);
  const unavailable = problemOf(gateway, family, facts, nextHop);
  const address = writeAddress(nextHop, { link, family, environment, before: known.get(id) });
  const onlink = facts !== undefined && !isNear(address, facts);
  return [{ key, name, family, link, address, unavailable, snat: snat[family], onlink, id }];
}

export interface ResolveInput {
  environment: Environment;
  /** By gatewayKey: ids that the names have. */
  ids: Record<string, number>;
  known: KnownGateways;
}

/** In the order of the file, IPv4 before IPv6. */
export const resolveGateways = (config: Config, input: ResolveInput): ResolvedGateway[] =>
  config.gateways.flatMap((gateway) =>
    families
      .filter((family) => input.environment.families.includes(family))
      .flatMap((family) => {
        const via = gateway.via[family];
        return via ? resolve(gateway, family, via, input) : [];
      }),
  );
