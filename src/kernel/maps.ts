// The director's maps, typed: keys and values by the generated layouts.

import * as abi from './abi.gen.ts';
import { decode, encode, type Layout } from './codec.ts';
import { possibleCpus } from './libbpf.ts';
import { BpfMap, nameLength } from './map.ts';

export const u32Key = (key: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(key);
  return bytes;
};

/** A map from a number to a struct. */
export class TypedMap<T extends object> {
  readonly map: BpfMap;
  readonly #layout: Layout<T>;

  constructor(map: BpfMap, layout: Layout<T>) {
    this.map = map;
    this.#layout = layout;
  }

  get(key: number): T | undefined {
    const value = this.map.get(u32Key(key));
    return value && decode(this.#layout, value);
  }

  set(key: number, value: T): void {
    this.map.set(u32Key(key), encode(this.#layout, value));
  }

  delete(key: number): void {
    this.map.delete(u32Key(key));
  }

  /** key -> value; of an array the first `count` only. */
  all(count?: number): Map<number, T> {
    const found = new Map<number, T>();
    for (const [key, value] of this.map.entries(count))
      found.set(key.readUInt32LE(), decode(this.#layout, value));
    return found;
  }
}

/** Adds up the copies that each CPU has of a struct of u64. */
export function sumPerCpu(value: Buffer): bigint[] {
  const cpus = possibleCpus();
  const words = value.length / 8 / cpus;
  return Array.from({ length: words }, (_, word) => {
    let sum = 0n;
    for (let cpu = 0; cpu < cpus; cpu++) sum += value.readBigUInt64LE((cpu * words + word) * 8);
    return sum;
  });
}

/** All maps of one director, found by their names among a program's maps. */
export class DirectorMaps {
  readonly byName = new Map<string, BpfMap>();

  constructor(maps: Iterable<BpfMap>) {
    for (const map of maps) this.byName.set(map.info.name, map);
  }

  static byIds(ids: number[]): DirectorMaps {
    return new DirectorMaps(ids.map((id) => BpfMap.byId(id)));
  }

  close(): void {
    for (const map of this.byName.values()) map.close();
  }

  map(name: string): BpfMap {
    const found = this.byName.get(name.slice(0, nameLength));
    if (!found) throw new Error(`the running director has no map "${name}"`);
    return found;
  }

  #typed<T extends object>(name: string, layout: Layout<T>): TypedMap<T> {
    return new TypedMap(this.map(name), layout);
  }

  get fastGuards(): TypedMap<abi.FastGuard> {
    return this.#typed('fast_guards', abi.fastGuardLayout);
  }
  get settings(): TypedMap<abi.Settings> {
    return this.#typed('settings', abi.settingsLayout);
  }
  get gateways(): TypedMap<abi.Gateway> {
    return this.#typed('gateways', abi.gatewayLayout);
  }
  get gatewayLoads(): TypedMap<abi.GatewayLoad> {
    return this.#typed('gateway_loads', abi.gatewayLoadLayout);
  }
  get slots(): TypedMap<abi.Slot> {
    return this.#typed('slots', abi.slotLayout);
  }
  get slotCounts(): TypedMap<abi.SlotCounts> {
    return this.#typed('slot_counts', abi.slotCountsLayout);
  }
  get slotRates(): TypedMap<abi.SlotRates> {
    return this.#typed('slot_rates', abi.slotRatesLayout);
  }
  get slotZeros(): TypedMap<abi.SlotStats> {
    return this.#typed('slot_zeros', abi.slotStatsLayout);
  }
  get memory(): TypedMap<abi.Remembered> {
    return this.#typed('memory', abi.rememberedLayout);
  }
  get requests(): TypedMap<abi.Request> {
    return this.#typed('requests', abi.requestLayout);
  }
  get tableCounts(): TypedMap<abi.TableCounts> {
    return this.#typed('table_counts', abi.tableCountsLayout);
  }

  /** Totals of the first `count` slots, all CPUs together. */
  slotStats(count: number): Map<number, abi.SlotStats> {
    const found = new Map<number, abi.SlotStats>();
    for (const [key, value] of this.map('slot_stats').entries(count)) {
      const [connections, inPackets, outPackets, inBytes, outBytes] = sumPerCpu(value) as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      found.set(key.readUInt32LE(), { connections, inPackets, outPackets, inBytes, outBytes });
    }
    return found;
  }

  /** What each hook counted, by verdict number: verdicts()[hook][verdict]. */
  verdicts(): bigint[][] {
    const counts: bigint[] = [];
    for (const [key, value] of this.map('verdicts').entries())
      counts[key.readUInt32LE()] = sumPerCpu(value)[0] ?? 0n;
    return Array.from({ length: abi.hook.HOOKS }, (_, hook) =>
      counts.slice(hook * abi.verdict.VERDICTS, (hook + 1) * abi.verdict.VERDICTS),
    );
  }

  /** The config of each service, by its key. */
  *services(): Generator<[abi.ServiceKey, abi.Service]> {
    for (const key of this.map('services').keys()) {
      const value = this.#serviceConfig(key);
      if (value) yield [decode(abi.serviceKeyLayout, key), decode(abi.serviceLayout, value)];
    }
  }

  /** A writer may put another map in place of the one whose id we read: ask again then. */
  #serviceConfig(key: Buffer): Buffer | undefined {
    for (;;) {
      const id = this.map('services').get(key)?.readUInt32LE();
      if (id === undefined) return undefined;
      const inner = BpfMap.tryById(id);
      if (!inner) continue;
      const value = inner.get(u32Key(0));
      inner.close();
      return value;
    }
  }

  /** Every entry of one direction of the fast path. */
  *fastFlows(name: 'fast_up' | 'fast_down'): Generator<abi.Fast> {
    const flows = this.openFast(name);
    for (const [, value] of flows?.entries() ?? []) {
      const fast = decode(abi.fastLayout, value);
      if (fast.key.protocol !== 0) yield fast;
    }
    flows?.close();
  }

  /** One direction's table, which the caller closes; undefined if the fast path was never switched on. */
  openFast(name: 'fast_up' | 'fast_down'): BpfMap | undefined {
    const id = this.map(name).get(u32Key(0))?.readUInt32LE();
    return id === undefined ? undefined : BpfMap.tryById(id);
  }

  /** Every entry of the connection table. */
  *connections(): Generator<[abi.ConnKey, abi.Conn]> {
    const shards = this.map('connections');
    for (let shard = 0; shard < abi.limits.SHARDS; shard++) {
      const id = shards.get(u32Key(shard))?.readUInt32LE();
      if (id === undefined) continue;
      const inner = BpfMap.byId(id);
      for (const [key, value] of inner.entries())
        yield [decode(abi.connKeyLayout, key), decode(abi.connLayout, value)];
      inner.close();
    }
  }
}
