// Network links: which there are, the director's own pair, and where a next hop lies.

import { readFileSync } from 'node:fs';
import type { Link } from '../model/environment.ts';
import type { Family } from '../model/table.ts';
import { directorLink, directorPeer } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import { run, tryRun } from '../util/run.ts';

/** As ip -json shows a link. */
export interface IpLink {
  ifname: string;
  ifindex: number;
  flags: string[];
  link_type: string;
  master?: string;
}

export function readLinks(): Link[] {
  const links = JSON.parse(run(['ip', '-json', 'link', 'show'])) as IpLink[];
  return links.map(toLink);
}

export const toLink = ({ ifname, ifindex, flags, link_type, master }: IpLink): Link => ({
  name: ifname,
  ifindex,
  loopback: flags.includes('LOOPBACK'),
  up: flags.includes('UP'),
  ethernet: link_type === 'ether',
  ...(master === undefined ? {} : { master }),
});

export const isDirectorLink = ({ name }: { name: string }): boolean =>
  name === directorLink || name === directorPeer;

/** The LAN's links: those that the admin names, else every one that no gateway uses. */
export function lanLinks(links: Link[], gatewayLinks: string[], named: string[] = []): Link[] {
  if (named.length > 0) return links.filter(({ name }) => named.includes(name));
  return links.filter(
    ({ name, loopback, master }) =>
      !loopback &&
      master === undefined &&
      !isDirectorLink({ name }) &&
      !gatewayLinks.includes(name),
  );
}

/** "lvsj0" in ASCII, of a kind that no maker gives. */
const directorMac = '02:6c:76:73:6a:30';

/**
 * A veth pair, for a dummy may not exist. No multicast and no address of its own: no packet of
 * its own ever starts there. Who asks nobody for a hardware address sends to its own: so both ends
 * have the same, or what comes in at the other would be for somebody else.
 */
export function makeDirectorLink(): void {
  tryRun(['ip', 'link', 'del', directorLink]);
  const words = (link: string): string =>
    `link set ${link} address ${directorMac} arp off addrgenmode none multicast off up`;
  run(['ip', 'link', 'add', directorLink, 'type', 'veth', 'peer', 'name', directorPeer]);
  run(['ip', '-batch', '-'], { input: `${words(directorLink)}\n${words(directorPeer)}\n` });
}

export function deleteDirectorLink(): void {
  tryRun(['ip', 'link', 'del', directorLink]);
}

interface IpRouteGet {
  type?: string;
  gateway?: string;
  dev?: string;
}

/** Of a route that leads on through another router; the one to lvsj0 leads to the director. */
const routerOf = (route: IpRouteGet | undefined): string =>
  route?.dev === directorLink ? 'see ip route' : (route?.gateway ?? 'none');

/**
 * The link on which the kernel would find this next hop (`fe80::1%eth1` says it itself).
 * Errors: not reachable, not on a directly connected network, an address of this host.
 */
export function findLink(family: Family, address: string): string {
  const [via = '', named] = address.split('%');
  if (named !== undefined) {
    if (readLinks().some((link) => link.name === named)) return named;
    throw new UserError(`gateway ${address}: there is no link "${named}" (see ip link)`);
  }
  const answer = tryRun(['ip', `-${family}`, '-json', 'route', 'get', via]);
  if (answer.status !== 0)
    throw new UserError(`gateway ${via}: no route leads there (${answer.stderr.trim()})`);
  const [route] = JSON.parse(answer.stdout) as IpRouteGet[];
  if (route?.type === 'local')
    throw new UserError(`gateway ${via} is an address of this host: a gateway is another router`);
  if (route?.gateway !== undefined || route?.dev === undefined)
    throw new UserError(
      `gateway ${via} is not on a directly connected network: give one of our links an address ` +
        `in its network, or name the router that is (${routerOf(route)})`,
    );
  return route.dev;
}

/** Where the kernel has it: false with ipv6.disable=1. */
export function haveIpv6(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').trim() === '0';
  } catch {
    return false;
  }
}
