// Which gateway ids the gateways of a table have: known next hops keep theirs, new ones get one.

import { familyOf } from '../model/address.ts';
import type { Family, Service } from '../model/table.ts';
import { UserError } from '../util/error.ts';
import type { GatewayObject } from './objects.ts';

/** Of MAX_GATEWAYS in bpf/abi.h: 0, 254 and 255 of the mark's byte mean something else. */
export const maxGateways = 253;

/** A next hop that has an id: it is there, or was and may come back. */
export interface KnownGateway {
  /** As the table writes it: see ServiceGateway. */
  address: string;
  link: string;
  present: boolean;
}

/** By id. */
export type KnownGateways = Map<number, KnownGateway>;

export interface Hop extends GatewayObject {
  /** As the table writes it. */
  address: string;
  /** Not there yet: its objects must be made. */
  fresh: boolean;
}

export const hopKey = (family: Family, address: string): string => `${family} ${address}`;

/** What stands for the next hop where the link itself is the way (ppp, WireGuard). */
export const noNextHop: Record<Family, string> = { 4: '0.0.0.0', 6: '::' };

/** address: as the table writes it. */
export function toHop(id: number, address: string, link: string, fresh: boolean): Hop {
  const family = familyOf(address);
  const [via = ''] = address.split('%');
  const scoped = address.includes('%');
  const nextHop = via === noNextHop[family] ? '' : via;
  return { id, family, address, via: nextHop, link, scoped, fresh };
}

/** The gateways that are there now, by hopKey. */
export function presentHops(gateways: KnownGateways): Map<string, Hop> {
  const hops = new Map<string, Hop>();
  for (const [id, { address, link, present }] of gateways)
    if (present) hops.set(hopKey(familyOf(address), address), toHop(id, address, link, false));
  return hops;
}

/**
 * An id for a next hop that is not there: the one that it had, so that its old connections and
 * conntrack marks fit again, else one never used: an old one may still stand in marks.
 */
function chooseId(address: string, gateways: KnownGateways, taken: Set<number>): number {
  let free: number | undefined;
  let gone: number | undefined;
  for (let id = 1; id <= maxGateways; id++) {
    const gateway = gateways.get(id);
    if (taken.has(id) || gateway?.present) continue;
    if (!gateway) free ??= id;
    else if (gateway.address === address) return id;
    else gone ??= id;
  }
  const id = free ?? gone;
  if (id === undefined)
    throw new UserError(`no gateway id is free: a director has at most ${maxGateways}`);
  return id;
}

/** The next hops of these services, each once, then those that are wanted beside them. */
export const addressesOf = (services: Service[], others: readonly string[] = []): string[] => [
  ...new Set([...services.flatMap(({ gateways }) => gateways.map((g) => g.address)), ...others]),
];

/**
 * The gateways at these addresses, by hopKey. `findLink` is asked for the link of each new one, and
 * throws where there is none: before anything was changed.
 */
export function planHops(
  addresses: readonly string[],
  gateways: KnownGateways,
  findLink: (family: Family, address: string) => string,
): Map<string, Hop> {
  const present = presentHops(gateways);
  const hops = new Map<string, Hop>();
  const taken = new Set<number>();
  for (const address of addresses) {
    const family = familyOf(address);
    const key = hopKey(family, address);
    const known = present.get(key);
    const id = known?.id ?? chooseId(address, gateways, taken);
    taken.add(id);
    const link = known?.link ?? findLink(family, address);
    hops.set(key, known ?? toHop(id, address, link, true));
  }
  return hops;
}
