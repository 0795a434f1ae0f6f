// The director's gateways as everybody outside sees them: those of the configuration, also while they
// have no next hop, and those that only lvsj ipvsadm knows.

import { familyOf } from '../model/address.ts';
import { type Applied, adminOf, healthOf, unavailableOf } from '../model/applied.ts';
import type { EvidenceReading, EvidenceState } from '../model/evidence.ts';
import { well } from '../model/health.ts';
import { formatSnat } from '../model/snat.ts';
import type { GatewayState } from '../model/state.ts';
import { type Counters, noCounters } from '../model/table.ts';
import * as abi from './abi.gen.ts';
import { type NamedGateway, Names, wantedAddress } from './config-names.ts';
import type { Director } from './director.ts';
import { readEvidence } from './evidence.ts';
import { isPresent } from './hops.ts';
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
  'name' | 'id' | 'family' | 'address' | 'link' | 'present' | 'admin' | 'unavailable' | 'health'
>;

/** A gateway by what tells of it: the configuration, and the kernel where it has it; or the kernel alone. */
type Source =
  | { id: number; named: NamedGateway; entry: abi.Gateway | undefined }
  | { id: number; named?: undefined; entry: abi.Gateway };

/** In the order of the file; then the others, by id, also those that were and whose ids nobody has yet. */
function listSources(entries: Map<number, abi.Gateway>, names: Names): Source[] {
  const known = new Map([...entries].filter(([, entry]) => entry.link !== ''));
  const others = [...known].filter(([id]) => !names.gateway(id));
  return [
    ...names.gateways.map((named) => ({ id: named.id, named, entry: known.get(named.id) })),
    ...others.map(([id, entry]) => ({ id, entry })),
  ];
}

const toIdentity = ({ id, named, entry }: Source, names: Names): GatewayIdentity =>
  named ? ofConfiguration(named, entry, names.applied) : ofKernel(id, entry);

function ofKernel(id: number, entry: abi.Gateway): GatewayIdentity {
  const address = gatewayAddress(entry);
  const present = isPresent(entry);
  return {
    ...{ name: '', id, family: familyOf(address), address: nextHop(address), link: entry.link },
    ...{ present, admin: 'enabled', unavailable: present ? '' : 'deleted: no service has it' },
    health: well,
  };
}

const missing = 'it is missing in the kernel: lvsj apply puts it there';

function ofConfiguration(
  named: NamedGateway,
  entry: abi.Gateway | undefined,
  applied: Applied | undefined,
): GatewayIdentity {
  const { config, id, family, key } = named;
  const admin = adminOf(applied?.admin ?? {}, config.name);
  // One that is not there any more holds the next hop of then.
  const known = entry && isPresent(entry) ? entry : undefined;
  const address = known ? nextHop(gatewayAddress(known)) : wantedAddress(named);
  return {
    ...{ name: config.name, id, family, address, link: known?.link ?? config.link },
    ...{ present: known !== undefined, admin },
    unavailable: unavailableOf(applied, key) ?? (known || admin === 'disabled' ? '' : missing),
    health: healthOf(applied, key),
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
  const sources = listSources(all.gateways, names);
  const evidence = readEvidence(
    director,
    sources.map(({ id }) => id),
  );
  return sources.map((source) => {
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
      evidence: toEvidence(evidence.get(id)),
    };
  });
}

const noEvidence: EvidenceState = {
  ...{ syns: 0, synRepeats: 0, synAnswers: 0, asks: 0, askAnswers: 0, unreachables: 0 },
  ...{ delays: new Array<number>(abi.limits.EVIDENCE_DELAYS).fill(0), delaysUs: 0 },
};

function toEvidence(reading: EvidenceReading | undefined): EvidenceState {
  if (!reading) return noEvidence;
  const { bytesUp, bytesDown, ...evidence } = reading;
  return evidence;
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
