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
export const policyOf = ({ onDown, failback, lastResort }: ServiceConfig) => ({
  onDown: onDown.action,
  failback: failback.kind === 'stay' ? ('stay' as const) : ('new' as const),
  lastResort,
});

/** Undefined for one that can have no connections at all: disabled, or its next hop is not known. */
function toGateway(
  { gateway, weight, upper, lower, tier }: ServiceGatewayConfig,
  family: Family,
  { gateways, admin }: ServicesInput,
): ServiceGateway | undefined {
  const found = gateways.find((each) => each.name === gateway && each.family === family);
  const state = adminOf(admin, gateway);
  if (!found || found.address === '' || state === 'disabled') return undefined;
  const usable = found.unavailable === '' && state === 'enabled';
  const limits = { weight: usable ? weight : 0, upper, lower, tier: tier - 1 };
  return { address: found.address, port: 0, ...limits, ...nothingCounted() };
}

/**
 * Those that stay keep their places, new ones come to the head one after the other, as if each had
 * been added by a command: a file that lists them in another order changes nothing.
 */
function inOrder(want: ServiceGateway[], have: ServiceGateway[]): ServiceGateway[] {
  const kept = have.flatMap((known) => want.find((each) => sameGateway(each, known)) ?? []);
  const fresh = want.filter((each) => !have.some((known) => sameGateway(each, known)));
  return [...fresh.toReversed(), ...kept];
}

function toService(config: ServiceConfig, family: Family, input: ServicesInput): Service[] {
  const known = input.have.services.find(
    (each) => each.fwmark === config.fwmark && each.family === family,
  );
  const want = config.gateways.flatMap((gateway) => toGateway(gateway, family, input) ?? []);
  if (want.length === 0) return [];
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
