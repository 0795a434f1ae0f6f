// The director's maps -> the table as people see it.

import { addressFromWords } from '../model/address.ts';
import { persistenceKeys } from '../model/persistence.ts';
import { failbacks, fastpaths, lastResorts, onDowns } from '../model/policy.ts';
import { flagNames } from '../model/scheduler.ts';
import type { TotalsState } from '../model/state.ts';
import {
  type Counters,
  type Family,
  noCounters,
  plainPolicy,
  type Service,
  type ServiceGateway,
  type Table,
} from '../model/table.ts';
import * as abi from './abi.gen.ts';
import { type Director, defaults } from './director.ts';

const states = abi.connState;

/** The table of a namespace without a director. */
export const emptyTable = (): Table => ({
  services: [],
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  size: defaults.connections,
});

const counterNames = Object.keys(noCounters()) as (keyof Counters)[];

const combine = (a: Counters, b: Counters, f: (a: bigint, b: bigint) => bigint): Counters => {
  const result = noCounters();
  for (const name of counterNames) result[name] = f(a[name], b[name]);
  return result;
};

/** IPVS's fixed point, rounded as IPVS shows it: 10 bits for numbers, 5 for bytes. */
function toRates(averages: Counters): Counters {
  const rates = noCounters();
  for (const name of counterNames) {
    const bytes = name === 'inBytes' || name === 'outBytes';
    rates[name] = bytes ? (averages[name] + 0xfn) >> 5n : (averages[name] + 0x1ffn) >> 10n;
  }
  return rates;
}

/** Everything that the maps hold of slots, read once. */
export interface Slots {
  slots: Map<number, abi.Slot>;
  counts: Map<number, abi.SlotCounts>;
  /** As counted; what -Z took away is in zeros. */
  stats: Map<number, Counters>;
  rates: Map<number, abi.SlotRates>;
  zeros: Map<number, Counters>;
  gateways: Map<number, abi.Gateway>;
}

export function readSlots({ maps, settings }: Director): Slots {
  const used = settings.slotsUsed;
  return {
    slots: maps.slots.all(used),
    counts: maps.slotCounts.all(used),
    stats: maps.slotStats(used),
    rates: maps.slotRates.all(used),
    zeros: maps.slotZeros.all(),
    gateways: maps.gateways.all(),
  };
}

/** `fe80::1%eth1`, `0.0.0.0%ppp0` where the address alone does not say the link. */
export function gatewayAddress(gateway: abi.Gateway | undefined): string {
  if (!gateway) return '?';
  const address = addressFromWords(gateway.via.word);
  const scoped = gateway.flags & abi.gatewayFlag.GATEWAY_SCOPED || address.startsWith('fe80:');
  return scoped ? `${address}%${gateway.link}` : address;
}

/** '' for a gateway whose link itself is the way. */
export const nextHop = (address: string): string =>
  /^(0\.0\.0\.0|::)%/.test(address) ? '' : address;

/** What went through a slot since -Z. */
export const totalsOf = (all: Slots, slot: number): Counters =>
  combine(
    all.stats.get(slot) ?? noCounters(),
    all.zeros.get(slot) ?? noCounters(),
    (a, b) => a - b,
  );

/** As JSON has them: exact up to 2^53. */
export const toTotals = (counters: Counters): TotalsState => ({
  connections: Number(counters.connections),
  inPackets: Number(counters.inPackets),
  outPackets: Number(counters.outPackets),
  inBytes: Number(counters.inBytes),
  outBytes: Number(counters.outBytes),
});

function toServiceGateway(all: Slots, slot: number, tier: number): ServiceGateway {
  const config = all.slots.get(slot);
  const counts = all.counts.get(slot);
  return {
    address: gatewayAddress(all.gateways.get(config?.gateway ?? 0)),
    port: config?.port ?? 0,
    weight: config?.weight ?? 0,
    upper: config?.upper ?? 0,
    lower: config?.lower ?? 0,
    tier,
    active: counts?.active ?? 0,
    inactive: counts?.inactive ?? 0,
    persistent: counts?.persistent ?? 0,
    totals: totalsOf(all, slot),
    rates: toRates(all.rates.get(slot)?.average ?? noCounters()),
  };
}

export const sumCounters = (all: Counters[]): Counters =>
  all.reduce((a, b) => combine(a, b, (x, y) => x + y), noCounters());

/** ipvsadm's name of each scheduler, by its number in bpf/abi.h. */
export const schedulerNames: Record<number, string> = Object.fromEntries(
  Object.entries(abi.scheduler).map(([name, number]) => [
    number,
    name.replace('SCHEDULER_', '').toLowerCase(),
  ]),
);

function netmaskText(family: Family, netmask: number): string {
  if (family === 6) return String(netmask);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(netmask);
  return [...bytes].join('.');
}

/** Names a service among slots. */
export const slotService = ({
  family,
  fwmark,
}: Pick<abi.ServiceKey, 'family' | 'fwmark'>): string => `${family} ${fwmark}`;

/** Numbers of the slots that each service ever had. */
export const slotsByService = (slots: Map<number, abi.Slot>): Map<string, number[]> =>
  Map.groupBy(slots.keys(), (number) => slotService(slots.get(number) as abi.Slot));

/** A service, and the slots of its gateways in the same order. */
export interface SlottedService {
  service: Service;
  slots: number[];
}

const listOf = ({ slots, gatewayCount }: abi.Service): number[] => slots.slice(0, gatewayCount);

/**
 * tiers: the service's, the first one first. ever: deleted gateways' slots too: what went through them
 * went through the service.
 */
function toService(all: Slots, tiers: abi.Service[], ever: number[]): SlottedService {
  const [config] = tiers as [abi.Service];
  const slots = tiers.flatMap(listOf);
  const scheduler = schedulerNames[config.scheduler] ?? '?';
  const averages = ever.map((slot) => all.rates.get(slot)?.average ?? noCounters());
  const family = config.key.family as Family;
  const first = all.slots.get(slots[0] ?? 0);
  const service = {
    family,
    fwmark: config.key.fwmark,
    scheduler,
    schedulerFlags: flagNames(scheduler).filter((_, bit) => config.schedulerFlags & (1 << bit)),
    persistence: config.persistenceS,
    persistenceKey: persistenceKeys[config.persistenceKey] ?? 'source',
    netmask: netmaskText(family, config.netmask),
    onePacket: config.onePacket !== 0,
    // These stand in the slots alone: nobody asks them of a service without gateways.
    onDown: onDowns[first?.onDown ?? 0] ?? plainPolicy.onDown,
    fastpath: fastpaths[first?.fastpath ?? 0] ?? plainPolicy.fastpath,
    failback: failbacks[config.failback] ?? plainPolicy.failback,
    lastResort: lastResorts[config.lastResort] ?? plainPolicy.lastResort,
    gateways: tiers.flatMap((each) =>
      listOf(each).map((slot) => toServiceGateway(all, slot, each.key.tier)),
    ),
    totals: sumCounters(ever.map((slot) => totalsOf(all, slot))),
    rates: toRates(sumCounters(averages)),
  };
  return { service, slots };
}

export function readServices(director: Director, all: Slots): SlottedService[] {
  const ever = slotsByService(all.slots);
  const configs = [...director.maps.services()].map(([, config]) => config);
  return [...Map.groupBy(configs, ({ key }) => slotService(key))].map(([name, tiers]) =>
    toService(
      all,
      tiers.toSorted((a, b) => a.key.tier - b.key.tier),
      ever.get(name) ?? [],
    ),
  );
}

/** Services, gateways and counters as they are now. */
export function readTable(director: Director, all = readSlots(director)): Table {
  const { timeoutS, connectionLimit } = director.settings;
  return {
    services: readServices(director, all).map(({ service }) => service),
    timeouts: {
      tcp: timeoutS[states.CONN_ESTABLISHED] ?? 0,
      tcpFin: timeoutS[states.CONN_FIN_WAIT] ?? 0,
      udp: timeoutS[states.CONN_ASKED] ?? 0,
    },
    size: connectionLimit,
  };
}
