// Which links run which of our programs: the LAN's links those of the LAN, and with the fast path the
// gateways' links those of an uplink. A link that is both (a router on a stick) is the LAN's alone.

import type { Link } from '../model/environment.ts';
import type { ConfigObjects } from '../model/objects.ts';
import type { Director } from './director.ts';
import { closeFd } from './libbpf.ts';
import { isDirectorLink, lanLinks } from './link.ts';
import { attachPrograms, detachPrograms, isAttached, type Side, sides } from './tc.ts';

export interface LinkUse {
  links: Link[];
  /** Names of links that gateways use. */
  gatewayLinks: string[];
  config: Pick<ConfigObjects, 'lan' | 'fastpath'> | undefined;
}

function sidesOf({ links, gatewayLinks, config }: LinkUse): Record<Side, Link[]> {
  const lan = gatewayLinks.length === 0 ? [] : lanLinks(links, gatewayLinks, config?.lan);
  const uplink = config?.fastpath
    ? links.filter((link) => gatewayLinks.includes(link.name) && !lan.includes(link))
    : [];
  return { lan, uplink };
}

/** Links that lack programs which they should have. */
export function bareLinks(use: LinkUse): string[] {
  const wanted = sidesOf(use);
  const bare = sides.flatMap((side) => wanted[side].filter((link) => !isAttached(link, side)));
  return bare.map(({ name }) => name);
}

/** The programs on every link of a side, and off those that were of it and are no more. */
export function attachToLinks(director: Director, use: LinkUse): void {
  const wanted = sidesOf(use);
  for (const side of sides) {
    for (const link of wanted[side]) attach(director, link, side);
    for (const link of formerLinks(use, side))
      if (!isDirectorLink(link) && !wanted[side].includes(link))
        detachPrograms(director.maps, link, side);
  }
}

function attach(director: Director, link: Link, side: Side): void {
  const programs = director.linkPrograms(side, link.ethernet);
  try {
    attachPrograms(director.maps, link, side, programs);
  } finally {
    for (const fd of Object.values(programs)) closeFd(fd);
  }
}

/** Those that may have been of that side: not all are asked, for there may be thousands. */
function formerLinks({ links, gatewayLinks, config }: LinkUse, side: Side): Link[] {
  const isNamed = (config?.lan ?? []).length > 0;
  const any = side === 'lan' ? isNamed : config?.fastpath;
  return any ? links : links.filter(({ name }) => gatewayLinks.includes(name));
}
