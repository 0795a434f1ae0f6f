// The director's services as everybody outside sees them: with the names of the configuration, and with
// what it wants and the kernel does not have, because a gateway has no next hop yet.

import type { Applied } from '../model/applied.ts';
import type { ServiceConfig, ServiceGatewayConfig } from '../model/config.ts';
import type { ServiceGatewayState, ServiceState } from '../model/state.ts';
import { type Family, noCounters, type Service, type ServiceGateway } from '../model/table.ts';
import { formatFailback } from '../plan/failover-words.ts';
import { netmaskText, policyOf } from '../plan/services.ts';
import { type NamedGateway, Names, wantedAddress } from './config-names.ts';
import type { Director } from './director.ts';
import {
  nextHop,
  readServices,
  readSlots,
  type Slots,
  type SlottedService,
  slotService,
  toTotals,
} from './read-table.ts';

/** In the order of the file, IPv4 before IPv6; then the others by fwmark. */
export function readServiceStates(
  director: Director,
  applied: Applied | undefined,
  all = readSlots(director),
): ServiceState[] {
  const names = new Names(applied);
  const found = new Map(
    readServices(director, all).map((each) => [slotService(each.service), each] as const),
  );
  const configured = names.services.flatMap((config) =>
    names.familiesOf(config).map((family): SlottedService => {
      const key = slotService({ family, fwmark: config.fwmark });
      const known = found.get(key);
      found.delete(key);
      return known ?? { service: withoutGateways(config, family), slots: [] };
    }),
  );
  const others = [...found.values()].sort(
    ({ service: a }, { service: b }) => a.fwmark - b.fwmark || a.family - b.family,
  );
  return [...configured, ...others].map((each) => toState(each, all, names));
}

/** A service that the kernel does not have, as it is wanted. */
function withoutGateways(config: ServiceConfig, family: Family): Service {
  const { fwmark, scheduler, schedulerFlags, persistence, persistenceKey, onePacket } = config;
  return {
    ...{ family, fwmark, scheduler, schedulerFlags, persistence, persistenceKey, onePacket },
    ...policyOf(config),
    netmask: netmaskText(family, config.netmask[family]),
    gateways: [],
    totals: noCounters(),
    rates: noCounters(),
  };
}

function toState({ service, slots }: SlottedService, all: Slots, names: Names): ServiceState {
  const { gateways, totals, rates, ...rest } = service;
  const ids = slots.map((slot) => all.slots.get(slot)?.gateway ?? 0);
  const config = names.service(service.fwmark);
  return {
    name: names.serviceName(service.fwmark),
    ...rest,
    ...(config && wordsOf(config)),
    gateways: listGateways(service, ids, names),
    totals: toTotals(totals),
    rates: toTotals(rates),
  };
}

/** More than the kernel knows: the daemon's part of it. */
const wordsOf = ({ onDown, failback, lastResort }: ServiceConfig) => ({
  ...{ onDown: onDown.action, failback: formatFailback(failback), lastResort },
});

/** ids: of the service's gateways in the kernel, in the same order. */
function listGateways(service: Service, ids: number[], names: Names): ServiceGatewayState[] {
  const present = service.gateways.map((gateway, i) => ({ id: ids[i] ?? 0, gateway }));
  const members = names.membersOf(service.fwmark, service.family);
  const wanted = new Set(members.map(({ gateway }) => gateway.id));
  return [
    ...members.flatMap(({ gateway, config }) => {
      const found = present.filter(({ id }) => id === gateway.id);
      return found.length === 0
        ? [toAbsent(gateway, config)]
        : found.map((each) => toGateway(gateway.config.name, each.gateway, config));
    }),
    ...present
      .filter(({ id }) => !wanted.has(id))
      .map(({ id, gateway }) =>
        toGateway(names.gatewayName(id) || gateway.address, gateway, {
          weight: gateway.weight,
          tier: gateway.tier + 1,
        }),
      ),
  ];
}

/** Its weight and its tier as they are told. */
function toGateway(
  name: string,
  gateway: ServiceGateway,
  { weight, tier }: Pick<ServiceGatewayConfig, 'weight' | 'tier'>,
): ServiceGatewayState {
  const { upper, lower, active, inactive, persistent, totals, rates } = gateway;
  const address = nextHop(gateway.address);
  return {
    ...{ gateway: name, address, tier, weight, effectiveWeight: gateway.weight, upper, lower },
    ...{ active, inactive, persistent, totals: toTotals(totals), rates: toTotals(rates) },
  };
}

function toAbsent(named: NamedGateway, config: ServiceGatewayConfig): ServiceGatewayState {
  const none = toTotals(noCounters());
  return {
    ...{ gateway: named.config.name, address: wantedAddress(named) },
    ...{ tier: config.tier, weight: config.weight },
    ...{ effectiveWeight: 0, upper: config.upper, lower: config.lower },
    ...{ active: 0, inactive: 0, persistent: 0, totals: none, rates: none },
  };
}
