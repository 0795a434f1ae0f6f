// What clients noticed of a fault, as figures. Pure. A time that never came is Infinity.

import type { Answer } from '../../src/lab/client-datagrams.ts';
import type { Trouble } from '../../src/lab/client-hold.ts';
import type { Request } from '../../src/lab/client-requests.ts';

/** When the last connection that failed began, of those that began with the fault or after it. */
export function lastFailed(requests: Request[], at: number): number | undefined {
  return requests
    .filter(({ start, error }) => start >= at && error !== '')
    .map(({ start }) => start)
    .reduce<number | undefined>((last, start) => Math.max(last ?? start, start), undefined);
}

/** The longest time without an answer that reaches into the span. */
export function longestGap(answers: Answer[], from: number, to: number): number {
  const times = answers.map(({ at }) => at).filter((at) => at < to);
  const before = times.filter((at) => at <= from).at(-1) ?? from;
  const inside = [before, ...times.filter((at) => at > from), to];
  return Math.max(...inside.slice(1).map((at, index) => at - inside[index]!));
}

export interface Span {
  /** The fault, its end, and since when its gateway takes connections again. */
  at: number;
  healed: number;
  up: number;
}

/** Of connections that are held. */
export interface Held {
  /** How long each of the dead link's waited for an answer. */
  waitsMs: number[];
  /** Connections of other links that noticed something. */
  disturbed: number;
  /** Connections that noticed something once all was well again. */
  movedBack: number;
}

export function judgeHeld(troubles: Trouble[], dead: string, { at, healed, up }: Span): Held {
  const ofDead = troubles.filter(({ before, asked }) => before === dead && asked < healed);
  return {
    waitsMs: ofDead.map(({ asked, answered }) =>
      answered === null || answered > healed ? Infinity : answered - Math.max(asked, at),
    ),
    disturbed: troubles.filter(({ before, asked }) => before !== dead && asked < up).length,
    movedBack: troubles.filter(({ asked }) => asked >= up).length,
  };
}

/** By nearest rank: a value that there was. Infinity of nothing would be a lie, and so would be 0. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (found === undefined) throw new Error('quantile of nothing');
  return found;
}
