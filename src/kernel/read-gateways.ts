// The director's gateways as everybody outside sees them: those of the configuration, also while they
// have no next hop, and those that only lvsj ipvsadm knows.

import type { Applied } from '../model/applied.ts';
import { formatSnat } from '../model/snat.ts';
import type { GatewayState } from '../model/state.ts';
import { type Counters, noCounters } from '../model/table.ts';
import * as abi from './abi.gen.ts';
import { type NamedGateway, Names, wantedAddress } from './config-names.ts';
import type { Director } from './director.ts';
import {
  gatewayAddress,
  nextHop,
  readSlots,
  type Slots,
  sumCounters,
  toTotals,
  totalsOf,
} from './read-table.ts';

/** Which gateway it is, and whether connections can go there. */
export type GatewayIdentity = Pick<
  GatewayState,
  'name' | 'id' | 'family' | 'address' | 'link' | 'present' | 'admin' | 'unavailable'
>;

/** A gateway by what tells of it: the kernel, the configuration, or both. */
interface Source {
  id: number;
  entry?: abi.Gateway | undefined;
  named?: NamedGateway;
}

/** In the order of the file; then the others, by id, also those that were and whose ids nobody has yet. */
function listSources(entries: Map<number, abi.Gateway>, names: Names): Source[] {
  const used = [...entries].filter(([, entry]) => entry.link !== '');
  const known = new Map(used);
  const others = used.filter(([id]) => !names.gateway(id));
  return [
    ...names.gateways.map((named) => ({ id: named.id, entry: known.get(named.id), named })),
    ...others.map(([id, entry]) => ({ id, entry })),
  ];
}

const isPresent = (entry: abi.Gateway | undefined): boolean =>
  entry !== undefined && (entry.flags & abi.gatewayFlag.GATEWAY_PRESENT) !== 0;

function toIdentity({ id, entry, named }: Source, names: Names): GatewayIdentity {
  const present = isPresent(entry);
  if (named) return { ...ofConfiguration(named, present ? entry : undefined, names), id, present };
  const address = gatewayAddress(entry);
  return {
    ...{ name: '', id, family: address.includes(':') ? 6 : 4, address: nextHop(address) },
    link: entry?.link ?? '',
    ...{ present, admin: 'enabled', unavailable: present ? '' : 'deleted: no service has it' },
  };
}

const missing = 'it is missing in the kernel: lvsj apply puts it there';

/** entry: only while it is present; an old one holds a next hop of then. */
function ofConfiguration(
  named: NamedGateway,
  entry: abi.Gateway | undefined,
  names: Names,
): Omit<GatewayIdentity, 'id' | 'present'> {
  const { family, key, config } = named;
  const { name } = config;
  return {
    ...{ name, family, link: entry?.link ?? config.link },
    address: entry ? nextHop(gatewayAddress(entry)) : wantedAddress(named),
    admin: names.applied?.admin[name] ?? 'enabled',
    unavailable: names.applied?.unavailable[key] ?? (entry ? '' : missing),
  };
}

/** Who they are, without what they carry. */
export function readGatewayIdentities(
  { maps }: Director,
  applied: Applied | undefined,
): GatewayIdentity[] {
  const names = new Names(applied);
  return listSources(maps.gateways.all(), names).map((source) => toIdentity(source, names));
}

export function readGatewayStates(
  director: Director,
  applied: Applied | undefined,
  all = readSlots(director),
): GatewayState[] {
  const names = new Names(applied);
  const loads = director.maps.gatewayLoads.all();
  const sums = sumByGateway(all);
  return listSources(all.gateways, names).map((source) => {
    const { id, named } = source;
    const identity = toIdentity(source, names);
    const { active, inactive, totals } = sums.get(id) ?? noSums;
    // The load timer passes over a deleted gateway: what it knew is old.
    const load = identity.present ? loads.get(id) : undefined;
    return {
      ...identity,
      snat: named ? formatSnat(named.config.snat[identity.family]) : '',
      capacity: toCapacity(source),
      rate: { down: Number(load?.down ?? 0n) * 8, up: Number(load?.up ?? 0n) * 8 },
      connections: { active, inactive },
      totals: toTotals(totals),
      rttUs: load?.rttUs || null,
    };
  });
}

function toCapacity({ entry, named }: Source): GatewayState['capacity'] {
  const down = entry ? Number(entry.capacityDown) : named?.config.capacity.down;
  const up = entry ? Number(entry.capacityUp) : named?.config.capacity.up;
  return {
    down: down || abi.limits.ASSUMED_CAPACITY,
    up: up || abi.limits.ASSUMED_CAPACITY,
    downAssumed: !down,
    upAssumed: !up,
  };
}

/** What a gateway has in all its services. */
interface Sums {
  active: number;
  inactive: number;
  totals: Counters;
}

const noSums: Sums = { active: 0, inactive: 0, totals: noCounters() };

/** By gateway id; a gateway has a slot in each service. */
function sumByGateway(all: Slots): Map<number, Sums> {
  const sums = new Map<number, Sums>();
  for (const [number, { gateway, fwmark }] of all.slots) {
    // Free.
    if (fwmark === 0) continue;
    const sum = sums.get(gateway) ?? noSums;
    const counts = all.counts.get(number);
    sums.set(gateway, {
      active: sum.active + (counts?.active ?? 0),
      inactive: sum.inactive + (counts?.inactive ?? 0),
      totals: sumCounters([sum.totals, totalsOf(all, number)]),
    });
  }
  return sums;
}
