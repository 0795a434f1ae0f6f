// The router's own packets: those bound to a gateway's link or address leave by that gateway, and a
// service may share out the rest.
//
// For that they go out by lvsj0 and come in again on lvsj0p, as if from a host of the LAN: on output
// nothing could choose a gateway for them and give them its address. conntrack overlooks the way out
// and meets them on the way in, so that SNAT comes after the choice.

import type { BoundObject, RouterObject } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import {
  directorLink,
  directorPeer,
  end,
  gatewayTable,
  hex,
  type MarkBits,
  markMatch,
  ownRules,
  type Route,
  type Rule,
  routerTable,
  type Wanted,
} from './objects.ts';

/**
 * A next hop behind lvsj0, so that the router has one neighbour there and not one for each server.
 * Nobody has it: 192.0.0.8 is RFC 7600's dummy.
 */
const nextHop = { 4: '192.0.0.8', 6: 'fe80::1' } as const;

/** One of the router's own addresses, as `ip address` shows it. */
export interface OwnAddress {
  link: string;
  address: string;
}

const isGlobal = (address: string): boolean => /^[23]/.test(address);
const isUsable = (family: Family, address: string): boolean =>
  family === 6 ? /^(?:[23]|f[cd])/.test(address) : !/^(?:127|169\.254)\./.test(address);

/**
 * The address that the router's own connections start with. The LAN's, for a gateway's tells that its
 * owner chose that gateway; but a global one: with a private one programs would avoid IPv6.
 */
export function chooseSource(
  family: Family,
  addresses: OwnAddress[],
  gatewayLinks: string[],
): string | undefined {
  const mine = addresses.filter(
    ({ link, address }) =>
      address.includes(':') === (family === 6) &&
      isUsable(family, address) &&
      link !== directorLink &&
      link !== directorPeer,
  );
  const rank = ({ link, address }: OwnAddress): number =>
    (family === 6 && !isGlobal(address) ? 2 : 0) + (gatewayLinks.includes(link) ? 1 : 0);
  return mine.toSorted((a, b) => rank(a) - rank(b))[0]?.address;
}

/** Of a gateway that is there; without the address that shared connections have. */
function boundOf({ config, gateways }: Wanted, family: Family): BoundObject[] {
  const ids = new Set(gateways.map(({ id }) => id));
  const source = config?.router?.sources[family];
  return (config?.bound ?? [])
    .filter((bound) => bound.family === family && ids.has(bound.id))
    .map((bound) => ({ ...bound, addresses: bound.addresses.filter((a) => a !== source) }));
}

/** Whether packets of this family must be asked if they are the router's own. */
export const hasOwnRules = (wanted: Wanted, family: Family): boolean =>
  wanted.config?.router?.sources[family] !== undefined || boundOf(wanted, family).length > 0;

/** The first of each: a link and an address lead to one gateway. */
function planBoundRules(bound: BoundObject[], family: Family): Rule[] {
  const links = new Map<string, number>();
  const addresses = new Map<string, number>();
  for (const { link, addresses: mine, id } of bound) {
    if (!links.has(link)) links.set(link, id);
    for (const address of mine) if (!addresses.has(address)) addresses.set(address, id);
  }
  const rule = (priority: number, selector: string, id: number): Rule => ({
    family,
    priority,
    selector,
    action: `lookup ${gatewayTable(id)}`,
  });
  return [
    ...[...links].map(([link, id]) => rule(ownRules + 2, `oif ${link}`, id)),
    ...[...addresses].map(([address, id]) => rule(ownRules + 3, `from ${address}`, id)),
  ];
}

/**
 * What has no source yet, and what has got the one that stands for that; other addresses stay with
 * the main table. A mark of its own keeps a packet there too, unless it came after the source: the
 * packet must then still get another. For IPv6 `from` never matches what has no source, so all who
 * have one are sent away first.
 */
function planSharedRules(source: string, family: Family): Rule[] {
  const action = `lookup ${routerTable}`;
  const unmarked = `fwmark ${markMatch(0, 0xffffffff)}`;
  const known = { family, priority: ownRules + 4, selector: `from ${source}`, action };
  if (family === 4)
    return [
      known,
      { family, priority: ownRules + 5, selector: `from 0.0.0.0 ${unmarked}`, action },
    ];
  return [
    known,
    ...['::/1', '8000::/1'].map((half) => ({
      family,
      priority: ownRules + 5,
      selector: `from ${half}`,
      action: `goto ${end}`,
    })),
    { family, priority: ownRules + 6, selector: unmarked, action },
  ];
}

/** Behind the services' rules: unmarked packets jump here, marked ones of the router's too. */
export function planOwnRules(wanted: Wanted, family: Family): Rule[] {
  if (!hasOwnRules(wanted, family)) return [];
  const rule = (priority: number, selector: string, action: string): Rule => ({
    family,
    priority,
    selector,
    action,
  });
  const source = wanted.config?.router?.sources[family];
  return [
    // Gateway bits that the admin or conntrack gave are obeyed before.
    rule(ownRules - 51, 'iif lo', `goto ${ownRules + 1}`),
    rule(ownRules, 'not iif lo', `goto ${end}`),
    rule(ownRules + 1, '', 'lookup main suppress_prefixlength 0'),
    ...planBoundRules(boundOf(wanted, family), family),
    ...(source === undefined ? [] : planSharedRules(source, family)),
  ];
}

export function planRouterRoutes({ config, families }: Wanted): Route[] {
  return families.flatMap((family) => {
    const source = config?.router?.sources[family];
    if (source === undefined) return [];
    const link = directorLink;
    const via = nextHop[family];
    return [
      { family, table: routerTable, via, link, onlink: family === 4, source, teaches: false },
    ];
  });
}

/** Chains of our nftables table, and the prerouting chain's lines for what nothing has decided yet. */
export function planRouterNft(
  router: RouterObject | undefined,
  bits: MarkBits,
): { chains: string[]; mark: string[] } {
  if (router === undefined || Object.keys(router.sources).length === 0)
    return { chains: [], mark: [] };
  const fresh = `meta mark & ${hex(~bits.mask >>> 0)} == 0`;
  return {
    chains: [
      '  chain router_out {',
      '    type filter hook output priority raw; policy accept;',
      `    oifname "${directorLink}" notrack`,
      '  }',
      // What nobody gave an address to, with no gateway for it: before, it would have had its link's.
      '  chain router_srcnat {',
      '    type nat hook postrouting priority 101; policy accept;',
      `    iifname "${directorPeer}" masquerade`,
      '  }',
    ],
    mark: [
      `    iifname "${directorPeer}" ${fresh} meta mark set meta mark | ${hex(router.fwmark)}`,
    ],
  };
}
