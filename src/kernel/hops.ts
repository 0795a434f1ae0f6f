// Which gateway ids the gateways of a table have: known next hops keep theirs, new ones get one.

import { addressToWords } from '../model/address.ts';
import type { Family, Service } from '../model/table.ts';
import type { GatewayObject } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import { interfaceIndex } from './libbpf.ts';
import { gatewayAddress } from './read-table.ts';

export interface Hop extends GatewayObject {
  /** Not there yet: its objects must be made. */
  fresh: boolean;
}

export const hopKey = (family: Family, address: string): string => `${family} ${address}`;

const { GATEWAY_PRESENT, GATEWAY_SCOPED } = abi.gatewayFlag;

const isPresent = (gateway: abi.Gateway): boolean => (gateway.flags & GATEWAY_PRESENT) !== 0;
const wasUsed = (gateway: abi.Gateway | undefined): boolean => gateway?.link !== '' && !!gateway;

const familyOf = (address: string): Family => (address.includes(':') ? 6 : 4);

/** The gateways that are there now, by hopKey. */
export function presentHops(gateways: Map<number, abi.Gateway>): Map<string, Hop> {
  const hops = new Map<string, Hop>();
  for (const [id, gateway] of gateways)
    if (isPresent(gateway)) {
      const address = gatewayAddress(gateway);
      const family = familyOf(address);
      const hop = toHop(id, family, address, gateway.link);
      hops.set(hopKey(family, address), { ...hop, fresh: false });
    }
  return hops;
}

/** What stands for the next hop where the link itself is the way (ppp, WireGuard). */
export const noNextHop: Record<Family, string> = { 4: '0.0.0.0', 6: '::' };

function toHop(id: number, family: Family, address: string, link: string): GatewayObject {
  const [via = ''] = address.split('%');
  const scoped = address.includes('%');
  return { id, family, via: via === noNextHop[family] ? '' : via, link, scoped };
}

/**
 * An id for a next hop that is not there: the one that it had, so that its old connections and
 * conntrack marks fit again, else one never used: an old one may still stand in marks.
 */
function chooseId(address: string, gateways: Map<number, abi.Gateway>, taken: Set<number>): number {
  let free: number | undefined;
  let gone: number | undefined;
  for (let id = 1; id <= abi.limits.MAX_GATEWAYS; id++) {
    const gateway = gateways.get(id);
    if (taken.has(id) || (gateway && isPresent(gateway))) continue;
    if (!wasUsed(gateway)) free ??= id;
    else if (gatewayAddress(gateway) === address) return id;
    else gone ??= id;
  }
  const id = free ?? gone;
  if (id === undefined)
    throw new UserError(`no gateway id is free: a director has at most ${abi.limits.MAX_GATEWAYS}`);
  return id;
}

/**
 * The gateways that these services need, by hopKey. `findLink` is asked for the link of each new
 * one, and throws where there is none: before anything was changed.
 */
export function planHops(
  services: Service[],
  gateways: Map<number, abi.Gateway>,
  findLink: (family: Family, address: string) => string,
): Map<string, Hop> {
  const present = presentHops(gateways);
  const hops = new Map<string, Hop>();
  const taken = new Set<number>();
  for (const { family, gateways: wanted } of services)
    for (const { address } of wanted) {
      const key = hopKey(family, address);
      if (hops.has(key)) continue;
      const known = present.get(key);
      const id = known?.id ?? chooseId(address, gateways, taken);
      taken.add(id);
      const link = known?.link ?? findLink(family, address);
      hops.set(key, known ?? { ...toHop(id, family, address, link), fresh: true });
    }
  return hops;
}

/** The map entry of a gateway that is there. One that comes back keeps the capacity that it had. */
export function toGateway(hop: Hop, old: abi.Gateway | undefined): abi.Gateway {
  const via = { word: addressToWords(hop.via || noNextHop[hop.family]) };
  const known = old?.via.word.join() === via.word.join() ? old : undefined;
  return {
    via,
    ifindex: interfaceIndex(hop.link),
    flags: GATEWAY_PRESENT | (hop.scoped ? GATEWAY_SCOPED : 0),
    capacityDown: known?.capacityDown ?? 0n,
    capacityUp: known?.capacityUp ?? 0n,
    link: hop.link,
  };
}

/** The same gateway, known but not there. */
export const withoutPresence = (gateway: abi.Gateway): abi.Gateway => ({
  ...gateway,
  flags: gateway.flags & ~GATEWAY_PRESENT,
});
