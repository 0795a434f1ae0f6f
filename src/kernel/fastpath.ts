// What the fast path needs beside its programs: room for what they learn, a conntrack that is not strict
// about what it did not see, and somebody who says again and again that it may be taken.

import type { FastpathState } from '../model/state.ts';
import * as abi from './abi.gen.ts';
import { makeLiberal } from './conntrack.ts';
import type { Director } from './director.ts';
import { BpfMap, mapType, onDemand } from './map.ts';
import { type DirectorMaps, u32Key } from './maps.ts';
import { changeSysctl } from './memory.ts';

/** Both directions' maps, made when they are needed first: their buckets alone are megabytes. */
function makeRoom({ maps, settings }: Director): void {
  for (const name of ['fast_up', 'fast_down'] as const) {
    if (maps.map(name).get(u32Key(0))) continue;
    const flows = BpfMap.create({
      type: mapType.hash,
      name: 'fast_flows',
      keySize: abi.connKeyLayout.size,
      valueSize: abi.fastLayout.size,
      maxEntries: settings.connectionLimit,
      flags: onDemand,
    });
    maps.map(name).set(u32Key(0), u32Key(flows.fd));
    flows.close();
  }
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
  makeRoom(director);
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
export function setGuard({ maps }: Director, guard: abi.FastGuard): void {
  maps.fastGuards.set(0, guard);
}

export const readGuard = ({ maps }: Director): abi.FastGuard =>
  maps.fastGuards.get(0) ?? { untilNs: 0n, checkNs: 0n, epoch: 0, careful: 0 };

/** Of a director that has services which take it. */
export function readFastpathState(director: Director): Exclude<FastpathState, 'off'> {
  const { untilNs, careful } = readGuard(director);
  if (untilNs < process.hrtime.bigint()) return 'unwatched';
  return careful ? 'careful' : 'on';
}
