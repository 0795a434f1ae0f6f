// The sysctls without which packets would be dropped, each changed only where it is wrong.

import { readdirSync } from 'node:fs';
import type { Family } from '../model/table.ts';
import { directorLink, directorPeer } from '../plan/objects.ts';
import type { DirectorMaps } from './maps.ts';
import { changeSysctl, readSysctl, remember } from './memory.ts';

const conf = '/proc/sys/net/ipv4/conf';
const rpFilter = (link: string): string => `net/ipv4/conf/${link}/rp_filter`;
const strict = '1';
const loose = '2';

/**
 * The director's second look-up asks for the way back to the client through lvsj0, and a reply
 * may come in by a link that the main table doesn't use: strict reverse-path checks drop both, and
 * loose ones the first, for lvsj0 has no address. `all` overrules every link that has a smaller
 * number, so it goes, and links that relied on it get it themselves.
 */
function relaxReversePath(maps: DirectorMaps, gatewayLinks: string[]): void {
  const exempt = new Set(['all', directorLink, directorPeer, ...gatewayLinks]);
  const all = readSysctl(rpFilter('all')) ?? '0';
  if (all !== '0') {
    for (const link of readdirSync(conf))
      if (!exempt.has(link) && Number(readSysctl(rpFilter(link))) < Number(all))
        changeSysctl(maps, rpFilter(link), all);
    for (const link of gatewayLinks)
      if (readSysctl(rpFilter(link)) === '0') changeSysctl(maps, rpFilter(link), loose);
    changeSysctl(maps, rpFilter('all'), '0');
  }
  for (const link of gatewayLinks)
    if (readSysctl(rpFilter(link)) === strict) changeSysctl(maps, rpFilter(link), loose);
}

/**
 * The director's own links have no address, so that every reverse-path check fails there. The router's
 * own packets come in on lvsj0p, and are routed anew on lvsj0, with an address of this host.
 */
function openDirectorLinks(maps: DirectorMaps): void {
  for (const link of [directorLink, directorPeer]) {
    changeSysctl(maps, rpFilter(link), '0');
    changeSysctl(maps, `net/ipv4/conf/${link}/accept_local`, '1');
  }
}

/** A director forwards. Turning IPv4 forwarding on also turns redirects off: remember those. */
function forward(maps: DirectorMaps, family: Family): void {
  const name = family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding';
  if (readSysctl(name) !== '0') return;
  if (family === 4) {
    const redirects = 'net/ipv4/conf/all/accept_redirects';
    remember(maps, redirects, readSysctl(redirects) ?? '1');
  }
  changeSysctl(maps, name, '1');
}

/** What gateways on these links, of these families, need. */
export function changeSysctls(
  maps: DirectorMaps,
  families: Family[],
  gatewayLinks: string[],
): void {
  for (const family of families) forward(maps, family);
  relaxReversePath(maps, gatewayLinks);
  openDirectorLinks(maps);
}
