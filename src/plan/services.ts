// The services of a configuration as the table holds them, with the gateways that there are now.

import ipaddr from 'ipaddr.js';
import { adminOf } from '../model/applied.ts';
import type { Config, ServiceConfig, ServiceGatewayConfig } from '../model/config.ts';
import type { AdminState } from '../model/state.ts';
import {
  type Family,
  noCounters,
  type Service,
  type ServiceGateway,
  type Table,
} from '../model/table.ts';
import { sameGateway } from './gateway-list.ts';
import type { ResolvedGateway } from './gateways.ts';
import { numberTiers } from './tiers.ts';

export interface ServicesInput {
  gateways: ResolvedGateway[];
  admin: Record<string, AdminState>;
  /** The table that there is. */
  have: Table;
  /** fwmarks of the configuration before this one: what it had and this one has not goes. */
  before: number[];
}

export const netmaskText = (family: Family, length: number): string =>
  family === 6 ? String(length) : ipaddr.IPv4.subnetMaskFromPrefixLength(length).toString();

const nothingCounted = () => ({
  active: 0,
  inactive: 0,
  persistent: 0,
  totals: noCounters(),
  rates: noCounters(),
});

/** `drain` and `now` are `new`, and more: see src/kernel/leave.ts. */
export const policyOf = ({ onDown, failback, lastResort, fastpath }: ServiceConfig) => ({
  onDown: onDown.action,
  failback: failback.kind === 'stay' ? ('stay' as const) : ('new' as const),
  lastResort,
  fastpath,
});

/** A gateway that a service has in a family. */
interface Member {
  config: ServiceGatewayConfig;
  gateway: ResolvedGateway;
}

const membersOf = (config: ServiceConfig, family: Family, { gateways }: ServicesInput): Member[] =>
  config.gateways.flatMap((share) =>
    gateways
      .filter(({ name, family: own }) => name === share.gateway && own === family)
      .map((gateway) => ({ config: share, gateway })),
  );

/** None for one that can have no connections at all: disabled, or its next hop is not known. */
function toGateway(
  { config, gateway }: Member,
  tier: number,
  admin: ServicesInput['admin'],
): ServiceGateway[] {
  const state = adminOf(admin, gateway.name);
  if (gateway.address === '' || state === 'disabled') return [];
  const { weight, upper, lower } = config;
  const usable = gateway.unavailable === '' && state === 'enabled';
  const limits = { weight: usable ? weight : 0, upper, lower, tier };
  return [{ address: gateway.address, port: 0, ...limits, ...nothingCounted() }];
}

/** Tiers are numbered by all that the file gives it: one that is away for a while changes none. */
function toGateways(members: Member[], admin: ServicesInput['admin']): ServiceGateway[] {
  const numbers = numberTiers(members.map(({ config }) => config.tier));
  return members.flatMap((member) =>
    toGateway(member, numbers.get(member.config.tier) ?? 0, admin),
  );
}

/**
 * In each tier those that stay keep their places, new ones come to the head one after the other, as if
 * each had been added by a command: a file that lists them in another order changes nothing.
 */
function inOrder(want: ServiceGateway[], have: ServiceGateway[]): ServiceGateway[] {
  const stays = (a: ServiceGateway, b: ServiceGateway): boolean =>
    sameGateway(a, b) && a.tier === b.tier;
  const kept = have.flatMap((known) => want.find((each) => stays(each, known)) ?? []);
  const fresh = want.filter((each) => !have.some((known) => stays(each, known)));
  return [...fresh.toReversed(), ...kept].toSorted((a, b) => a.tier - b.tier);
}

function toService(config: ServiceConfig, family: Family, input: ServicesInput): Service[] {
  const known = input.have.services.find(
    (each) => each.fwmark === config.fwmark && each.family === family,
  );
  const members = membersOf(config, family, input);
  const want = toGateways(members, input.admin);
  // Nothing is scheduled, but its last resort holds.
  const isAsked = want.length > 0 || (members.length > 0 && config.lastResort !== 'main');
  if (!isAsked) return [];
  const { fwmark, scheduler, schedulerFlags, persistence, persistenceKey, onePacket } = config;
  return [
    {
      ...{ family, fwmark, scheduler, schedulerFlags, persistence, persistenceKey, onePacket },
      ...policyOf(config),
      netmask: netmaskText(family, config.netmask[family]),
      gateways: inOrder(want, known?.gateways ?? []),
      totals: noCounters(),
      rates: noCounters(),
    },
  ];
}

/** The table that is wanted: services that neither this nor the last configuration has stay. */
export function planTable(config: Config, input: ServicesInput): Table {
  const marks = new Set([...input.before, ...config.services.map(({ fwmark }) => fwmark)]);
  const others = input.have.services.filter(({ fwmark }) => !marks.has(fwmark));
  const ours = config.services.flatMap((service) =>
    ([4, 6] as const).flatMap((family) => toService(service, family, input)),
  );
  return { ...input.have, services: [...others, ...ours], timeouts: config.timeouts };
}
