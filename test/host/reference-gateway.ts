// A gateway as the reference sees it, and the questions that several schedulers ask.

import type { Counts } from './scheduling.ts';

export interface Gateway extends Counts {
  slot: number;
  address: string;
  weight: number;
  down: boolean;
  /** The newest weight that was not 0. */
  lastWeight: number;
  /** lbw: of its capacity, 1 = 2^24; what it carries, and what each fresh connection adds. */
  downPart: bigint;
  upPart: bigint;
  freshPart: bigint;
  fresh: number;
  /** lrtt: 0 = not known. */
  rtt: number;
}

/** What it weighs for a new connection. */
export const liveWeight = ({ weight, down }: Gateway): number => (down ? 0 : weight);

export const isEligible = (gateway: Gateway): boolean =>
  liveWeight(gateway) > 0 && !gateway.overloaded;

const overhead = ({ active, inactive }: Gateway): bigint => BigInt(256 * active + inactive);

/** Is its overhead for its weight smaller? */
export const isLighter = (a: Gateway, b: Gateway): boolean =>
  overhead(a) * BigInt(b.weight) < overhead(b) * BigInt(a.weight);

/** The one that none is better than; ties go to the earliest. */
export const best = (
  gateways: Gateway[],
  isBetter: (a: Gateway, b: Gateway) => boolean,
): Gateway | undefined =>
  gateways.reduce<Gateway | undefined>(
    (best, next) => (best && !isBetter(next, best) ? best : next),
    undefined,
  );

export const pickWlc = (list: Gateway[]): Gateway | undefined =>
  best(list.filter(isEligible), isLighter);
