// lbw and lrtt once more, as docs/schedulers.md tells them.

import type { Load } from '../cases/case.ts';
import { best, type Gateway, isEligible } from './reference-gateway.ts';

/** Bytes a second as a part of a capacity in bits a second, 1 = 2^24. */
function partOf(bytes: number, capacity: number): bigint {
  const part = (BigInt(bytes) * 8n * (1n << 24n)) / BigInt(capacity || 100_000_000);
  return part < 0xffffffffn ? part : 0xffffffffn;
}

/** 512 kbit/s. */
const freshBytes = 64_000;

export const loadParts = (
  load: Required<Load>,
): Pick<Gateway, 'downPart' | 'upPart' | 'freshPart'> => ({
  downPart: partOf(load.down, load.capacityDown),
  upPart: partOf(load.up, load.capacityUp),
  freshPart: partOf(freshBytes, load.capacityDown),
});

export const noLoad = { down: 0, up: 0, capacityDown: 0, capacityUp: 0 };

function usedPart({ downPart, upPart, freshPart, fresh }: Gateway): bigint {
  const down = downPart + BigInt(fresh) * freshPart;
  return down > upPart ? down : upPart;
}

export const pickLbw = (list: Gateway[]): Gateway | undefined =>
  best(list.filter(isEligible), (a, b) => usedPart(a) < usedPart(b));

const isClearlySooner = (a: Gateway, b: Gateway): boolean =>
  a.rtt + Math.floor(a.rtt / 4) < b.rtt && a.rtt + 1000 < b.rtt;

/** Where lrtt stands. */
export class ReferenceRtt {
  #kept: Gateway | undefined;
  #count = 0;

  forget(gateway: Gateway): void {
    if (this.#kept === gateway) this.#kept = undefined;
  }

  pick(list: Gateway[]): Gateway | undefined {
    const known = list.filter((gateway) => isEligible(gateway) && gateway.rtt > 0);
    const soonest = best(known, (a, b) => a.rtt < b.rtt);
    const kept = known.find((gateway) => gateway === this.#kept);
    this.#kept = kept && !isClearlySooner(soonest!, kept) ? kept : soonest;
    const count = this.#count++;
    if (this.#kept && count % 16 !== 15) return this.#kept;
    const first = (this.#kept ? Math.floor(count / 16) : count) % (list.length || 1);
    const order = [...list.slice(first), ...list.slice(0, first)];
    const tried = order.find((gateway) => gateway !== this.#kept && isEligible(gateway));
    return tried ?? this.#kept;
  }
}
