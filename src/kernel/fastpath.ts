// What the fast path needs beside its programs: room for what they learn, a conntrack that is not strict
// about what it did not see, and somebody who says again and again that it may be taken.

import type { FastpathState } from '../model/state.ts';
import * as abi from './abi.gen.ts';
import { makeLiberal } from './conntrack.ts';
import type { Director } from './director.ts';
import { alignedInner, BpfMap, mapType } from './map.ts';
import { type DirectorMaps, u32Key } from './maps.ts';
import { changeSysctl } from './memory.ts';

/** 2 MiB each way. */
const leastPlaces = 16_384;
/** At least half of the places are free: then hardly a connection finds all of its own taken. */
export const placesPerConnection = 2;

const toPlaces = (connections: number): number =>
  Math.max(leastPlaces, 2 ** Math.ceil(Math.log2(connections * placesPerConnection)));

/** The places of each direction; 0 if there are none yet. */
function readRoom(maps: DirectorMaps): number {
  const flows = maps.openFast('fast_up');
  flows?.close();
  return flows?.info.maxEntries ?? 0;
}

/**
 * Room for as many connections, and soon for twice as many: places of each direction. What was learnt is learnt
 * anew if there was too little.
 */
export function makeRoom({ maps, settings }: Director, connections: number): number {
  const most = toPlaces(settings.connectionLimit);
  const room = readRoom(maps);
  if (room >= Math.min(toPlaces(connections), most)) return room;
  const places = Math.min(toPlaces(2 * connections), most);
  // Up is asked for what is known of down: it must not know more.
  for (const name of ['fast_down', 'fast_up'] as const) {
    const flows = BpfMap.create({
      type: mapType.array,
      name: 'fast_flows',
      keySize: 4,
      valueSize: abi.fastLayout.size,
      maxEntries: places,
      flags: alignedInner,
    });
    maps.map(name).set(u32Key(0), u32Key(flows.fd));
    flows.close();
  }
  return places;
}

/**
 * conntrack does not see TCP's sequence numbers of what passes it by: later packets, and resets, would be
 * invalid to it, keep a wrong address and be dropped.
 */
function loosenConntrack(maps: DirectorMaps): void {
  for (const name of ['nf_conntrack_tcp_be_liberal', 'nf_conntrack_tcp_ignore_invalid_rst'])
    changeSysctl(maps, `net/netfilter/${name}`, '1');
}

/** Before the first service that takes it. The caller holds the lock. */
export function prepareFastPath(director: Director): void {
  makeRoom(director, director.maps.tableCounts.get(0)?.entries ?? 0);
  loosenConntrack(director.maps);
}

/** Before conntrack is strict again: with those that it did not see all packets of it stays liberal. */
export function endFastPath(director: Director): void {
  const { maps, settings } = director;
  if (!maps.map('fast_up').get(u32Key(0))) return;
  setGuard(director, { ...readGuard(director), untilNs: 0n });
  makeLiberal(settings.markMask);
}

/** Until when packets may take it; see struct fast_guard in bpf/abi.h. */
export function setGuard({ maps, settings }: Director, guard: Omit<abi.FastGuard, 'seed'>): void {
  maps.fastGuards.set(0, { ...guard, seed: settings.seed });
}

export const readGuard = ({ maps }: Director): abi.FastGuard =>
  maps.fastGuards.get(0) ?? { untilNs: 0n, checkNs: 0n, epoch: 0, careful: 0, seed: 0n };

/** Of a director that has services which take it. */
export function readFastpathState(director: Director): Exclude<FastpathState, 'off'> {
  const { untilNs, careful } = readGuard(director);
  if (untilNs < process.hrtime.bigint()) return 'unwatched';
  return careful ? 'careful' : 'on';
}
