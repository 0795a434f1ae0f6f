// How much memory the kernel has given away, by its own several accounts, in bytes.

import { readFileSync } from 'node:fs';
import { BpfMap } from '../src/kernel/map.ts';
import type { DirectorMaps } from '../src/kernel/maps.ts';

export interface Memory {
  /** /proc/meminfo Slab: where entries lie, whole pages. Also moved by everybody else's files and sockets. */
  slab: number;
  /** /proc/slabinfo: pages of the caches for objects of 128 bytes, where ours lie; quieter than Slab. */
  slab128: number;
  /** /proc/meminfo Percpu and VmallocUsed: lists of free entries, and buckets. */
  percpu: number;
  vmalloc: number;
  /** /proc/meminfo MemAvailable, negative so that it grows with use: includes everything, and all others. */
  taken: number;
  /** What the kernel says of the maps of the table, and of those of the fast path (fdinfo memlock). */
  maps: number;
  fast: number;
}

const KiB = 1024;
const pageBytes = 4096;

/** fdinfo of each map in this one. Linux before 6.4 counts entries as if all were there: then it says nothing. */
function readInner(outer: BpfMap): number {
  let sum = 0;
  for (const [, word] of outer.entries()) {
    const id = word.readUInt32LE();
    if (id === 0) continue;
    const inner = BpfMap.byId(id);
    const info = readFileSync(`/proc/self/fdinfo/${inner.fd}`, 'utf8');
    sum += Number(/^memlock:\s*(\d+)/m.exec(info)?.[1] ?? 0);
    inner.close();
  }
  return sum;
}

/** name, active and all objects, object size, objects and pages a slab, …, active and all slabs. */
function readSlabs(bytes: number): number {
  const pattern = new RegExp(
    `^kmalloc\\S*-${bytes} +\\d+ +\\d+ +\\d+ +\\d+ +(\\d+) .*slabdata +\\d+ +(\\d+)`,
    'gm',
  );
  let sum = 0;
  for (const [, pages, slabs] of readFileSync('/proc/slabinfo', 'utf8').matchAll(pattern))
    sum += Number(pages) * Number(slabs) * pageBytes;
  return sum;
}

/** maps: of a director, if there is one. */
export function readMemory(maps?: DirectorMaps): Memory {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}: *(\\d+)`, 'm').exec(text)?.[1] ?? 0) * KiB;
  return {
    slab: of('Slab'),
    slab128: readSlabs(128),
    percpu: of('Percpu'),
    vmalloc: of('VmallocUsed'),
    taken: -of('MemAvailable'),
    maps: maps ? readInner(maps.map('connections')) : 0,
    fast: maps ? readInner(maps.map('fast_up')) + readInner(maps.map('fast_down')) : 0,
  };
}

/** What was taken between two readings, for each of `count`. */
export function growth(from: Memory, to: Memory, count: number): Memory {
  const grown = { ...to };
  for (const name of Object.keys(to) as (keyof Memory)[])
    grown[name] = (to[name] - from[name]) / count;
  return grown;
}
