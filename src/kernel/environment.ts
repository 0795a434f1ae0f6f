// Reads what of this network namespace a plan follows from.

import type { DefaultRoute, Environment, LinkFacts } from '../model/environment.ts';
import type { Family } from '../model/table.ts';
import { run } from '../util/run.ts';
import { families } from './director.ts';
import { type IpLink, toLink } from './link.ts';

interface IpAddress extends IpLink {
  mtu: number;
  addr_info?: IpAddressInfo[];
}

interface IpAddressInfo {
  family: string;
  local: string;
  /** Of a link with one other end. */
  address?: string;
  prefixlen: number;
  scope: string;
  /** IPv6: somebody else has it. */
  dadfailed?: boolean;
  deprecated?: boolean;
}

function toFacts({ mtu, addr_info = [], ...link }: IpAddress): LinkFacts {
  const usable = addr_info.filter(({ dadfailed }) => !dadfailed);
  return {
    ...toLink(link),
    carrier: link.flags.includes('LOWER_UP'),
    mtu,
    addresses: usable.map(({ family, local, address, prefixlen, scope, deprecated }) => ({
      family: family === 'inet6' ? 6 : 4,
      address: local,
      length: prefixlen,
      global: scope === 'global',
      ...(deprecated ? { deprecated } : {}),
      ...(address === undefined ? {} : { peer: address }),
    })),
  };
}

interface IpDefault {
  gateway?: string;
  dev?: string;
  metric?: number;
  flags?: string[];
  nexthops?: { gateway?: string; dev: string }[];
}

/** Of one with several next hops (ECMP) each counts. */
function toDefaults(family: Family, route: IpDefault): DefaultRoute[] {
  const hops = route.nexthops ?? [route];
  const metric = route.metric ?? 0;
  return hops.flatMap(({ dev, gateway }) =>
    dev === undefined ? [] : [{ family, link: dev, via: gateway ?? '', metric }],
  );
}

export function readEnvironment(): Environment {
  const used = families();
  const links = JSON.parse(run(['ip', '-json', 'address', 'show'])) as IpAddress[];
  const defaults = used.flatMap((family) => {
    const argv = ['ip', `-${family}`, '-json', 'route', 'show', 'default', 'table', 'main'];
    const routes = JSON.parse(run(argv) || '[]') as IpDefault[];
    return routes.flatMap((route) => toDefaults(family, route));
  });
  return { links: links.map(toFacts), defaults, families: used };
}
