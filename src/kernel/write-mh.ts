// The tables of mh services: one map for each, which the kernel swaps whole.

import { type MaglevGateway, maglevTable } from '../plan/maglev.ts';
import * as abi from './abi.gen.ts';
import { encode } from './codec.ts';
import { BpfMap, mapType } from './map.ts';

const word = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};

function createTable(gateways: MaglevGateway[]): BpfMap {
  const map = BpfMap.create({
    type: mapType.array,
    name: 'mh_config',
    keySize: 4,
    valueSize: abi.mhTableLayout.size,
    maxEntries: 1,
    flags: 0,
  });
  const slots = maglevTable(gateways, abi.limits.MH_PLACES);
  map.set(word(0), encode(abi.mhTableLayout, { slots }));
  return map;
}

/** By service.index: the gateways of a table, newest first. All in one call, which waits once. */
export function writeMhTables(mhTables: BpfMap, tables: Map<number, MaglevGateway[]>): void {
  if (tables.size === 0) return;
  const made = [...tables].map(([index, gateways]) => ({ index, map: createTable(gateways) }));
  mhTables.setAll(made.map(({ index, map }) => [word(index), word(map.fd)]));
  for (const { map } of made) map.close();
}

/** One by one: the kernel knows no batch of deletions for this kind of map. */
export function deleteMhTables(mhTables: BpfMap, indexes: number[]): void {
  for (const index of indexes) mhTables.delete(word(index));
}
