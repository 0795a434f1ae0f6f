// Networks and routes that keep packets from the director, or gateways from their links.

import type { Facts, LinkFact, RouteFact } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { lengthOf, overlap } from './prefix.ts';
import {
  gatewayLinks,
  gatewaysOf,
  isDefault,
  isOurLink,
  lanLinks,
  mainDefaults,
  networksOf,
} from './view.ts';

const families = [4, 6] as const satisfies Family[];

interface Network {
  link: string;
  prefix: string;
}

/** Networks of more than one address. */
const allNetworks = (links: LinkFact[], family: Family): Network[] =>
  links
    .filter(({ name, loopback, master }) => !loopback && master === '' && !isOurLink(name))
    .flatMap((link) =>
      networksOf(link, family)
        .filter((prefix) => lengthOf(prefix) < (family === 4 ? 31 : 127))
        .map((prefix) => ({ link: link.name, prefix })),
    );

/** Severe where one of the two is the LAN's and the other a gateway's. */
function judgePair(facts: Facts, a: Network, b: Network): Found | undefined {
  if (a.link === b.link || !overlap(a.prefix, b.prefix)) return undefined;
  const uplinks = gatewayLinks(facts);
  const lan = lanLinks(facts).map(({ name }) => name);
  const mixed =
    [a, b].some(({ link }) => uplinks.includes(link)) &&
    [a, b].some(({ link }) => lan.includes(link));
  if (a.prefix !== b.prefix && !mixed) return undefined;
  const what =
    a.prefix === b.prefix
      ? `${a.link} and ${b.link} have the same network, ${a.prefix}`
      : `the networks of ${a.link} (${a.prefix}) and ${b.link} (${b.prefix}) overlap`;
  return (mixed ? error : warning)(
    `${what}: the main table knows one place for an address that both have`,
    'give one of them another network (its router or modem says which)',
  );
}

export const networks: Check = {
  name: 'networks',
  find: (facts) =>
    families.flatMap((family) => {
      const all = allNetworks(facts.links, family);
      return all.flatMap((a, i) => all.slice(i + 1).flatMap((b) => judgePair(facts, a, b) ?? []));
    }),
};

/** What `ip route` takes for this route, behind its verb. */
export function routeWords({ to, via, link, metric, family }: RouteFact): string {
  const words = [to === '0.0.0.0/0' || to === '::/0' ? 'default' : to];
  if (via !== '') words.push(`via ${via}`);
  words.push(`dev ${link}`);
  if (metric !== 0 && !(family === 6 && metric === 1024)) words.push(`metric ${metric}`);
  return words.join(' ');
}

/** So short a prefix is meant as a default route: VPNs split it in two to come before it. */
const isPartOfAll = ({ family, to, type }: RouteFact): boolean =>
  lengthOf(to) > 0 &&
  lengthOf(to) < (family === 4 ? 8 : 5) &&
  type !== 'multicast' &&
  !/^(?:22[4-9]|2[3-5]\d)\.|^f[ef]/.test(to);

/** Routes by which this table takes everything, or a good part of it. */
export const takesAll = (route: RouteFact): boolean => isDefault(route) || isPartOfAll(route);

export const splitDefault: Check = {
  name: 'split-default',
  find: ({ routes, director }) =>
    director
      ? routes
          .filter((route) => route.table === 'main' && isPartOfAll(route))
          .map((route) =>
            error(
              `the main table's route ${routeWords(route)} is no default route, so it comes before the director: nothing that it covers is shared out`,
              `ip -${route.family} route del ${routeWords(route)}`,
            ),
          )
      : [],
};

/** By family: those that lead to no gateway, those of the same metric, and that there is none. */
function findDefaults(facts: Facts, family: Family): Found[] {
  const gateways = gatewaysOf(facts).filter((gateway) => gateway.family === family);
  const [first] = gateways;
  if (!first) return [];
  const defaults = mainDefaults(facts, family).filter(({ link }) => !isOurLink(link));
  if (defaults.length === 0) {
    const via = first.address === '' ? '' : `via ${first.address.replace(/%.*$/, '')} `;
    const add = `ip -${family} route add default ${via}dev ${first.link} metric 100`;
    return [
      warning(
        `the main table has no IPv${family} default route: what is not shared out, and the router's own connections, go nowhere`,
        add,
      ),
    ];
  }
  const strangers = defaults.filter(({ link }) => !gateways.some((each) => each.link === link));
  return [
    ...strangers.map((route) =>
      warning(
        `the IPv${family} default route of ${route.link} leads to no gateway: the director does not use that link`,
        `make it a gateway, or: ip -${family} route del ${routeWords(route)}`,
      ),
    ),
    ...findSameMetric(defaults, family),
  ];
}

function findSameMetric(defaults: RouteFact[], family: Family): Found[] {
  const byMetric = Map.groupBy(defaults, ({ metric }) => metric);
  return [...byMetric.values()].flatMap(([kept, ...more]) =>
    more.map((route) => {
      const other = routeWords({
        ...route,
        metric: Math.max(...defaults.map(({ metric }) => metric)) + 1,
      });
      return warning(
        `two IPv${family} default routes have the same metric (${kept?.link} and ${route.link}): which one is used is chance`,
        `ip -${family} route add ${other} && ip -${family} route del ${routeWords(route)}`,
      );
    }),
  );
}

export const defaultRoutes: Check = {
  name: 'default-routes',
  find: (facts) => families.flatMap((family) => findDefaults(facts, family)),
};
