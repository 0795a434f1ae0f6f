// What a rule matches, as stretches of addresses and numbers: whether one rule takes all that another
// would.

import type { Range, RuleConfig, SetConfig } from '../model/config.ts';
import type { Family } from '../model/table.ts';
import { families, parsePrefix, width } from './prefix.ts';
import { mergeRanges, protocolNames, usualProtocols } from './words.ts';

type Stretch = readonly [first: bigint, last: bigint];

/** Sorted, and no two of them touch. */
interface Stretches {
  list: readonly Stretch[];
  /** A set with domains: more may be in it at any time. */
  open: boolean;
}

/** A set's part is shared by all rules that name it, and never copied: it may be large. */
type Region = readonly Stretches[];

/** What a rule matches of one family. */
interface FamilyMatch {
  from: Region;
  to: Region;
  numbers: { protocols: Range[]; sport: Range[]; dport: Range[]; dscp: Range[] };
  /** The ends of the above, for a quick no. */
  hull: Float64Array;
}

export interface RuleMatch {
  byFamily: Partial<Record<Family, FamilyMatch>>;
  links: readonly string[];
  nft: string;
}

export type SetRegions = ReadonlyMap<string, Readonly<Record<Family, Stretches>>>;

const byFamily = <T>(make: (family: Family) => T): Record<Family, T> => ({
  4: make(4),
  6: make(6),
});

function toStretches(prefixes: readonly string[], family: Family, open = false): Stretches {
  const list: [bigint, bigint][] = [];
  // They are canonical, sorted and disjoint: see disjoint().
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (prefix?.family !== family) continue;
    const before = list.at(-1);
    if (before && before[1] + 1n === prefix.first) before[1] = prefix.last;
    else list.push([prefix.first, prefix.last]);
  }
  return { list, open };
}

export const regionsOf = (sets: readonly SetConfig[]): SetRegions =>
  new Map(
    sets.map(({ name, prefixes, domains }) => [
      name,
      byFamily((family) => toStretches(prefixes, family, domains.length > 0)),
    ]),
  );

const everything: Record<Family, Region> = byFamily((family) => [
  { list: [[0n, (1n << BigInt(width[family])) - 1n]], open: false },
]);

function toRegion(sources: readonly string[], family: Family, sets: SetRegions): Region {
  if (sources.length === 0) return everything[family];
  const prefixes = sources.filter((source) => !source.startsWith('@'));
  const named = sources.flatMap((source) => sets.get(source.slice(1))?.[family] ?? []);
  const own = toStretches(prefixes, family);
  return [own, ...named].filter(({ list, open }) => list.length > 0 || open);
}

/** The families that its addresses can be of. */
export const familiesOf = (sources: readonly string[], sets: SetRegions): Family[] =>
  families.filter((family) => toRegion(sources, family, sets).length > 0);

/** The families that a protocol lives in. */
export const familyOfProtocol = (protocol: number): Family[] => {
  if (protocol === protocolNames.get('icmp')) return [4];
  return protocol === protocolNames.get('icmpv6') ? [6] : [4, 6];
};

const points = (numbers: readonly number[]): Range[] =>
  mergeRanges(numbers.map((number) => [number, number]));

const orAll = (ranges: Range[], largest: number): Range[] =>
  ranges.length > 0 ? ranges : [[0, largest]];

function protocolsOf({ protocols, sport, dport }: RuleConfig, family: Family): Range[] {
  if (protocols.length > 0)
    return points(protocols.filter((protocol) => familyOfProtocol(protocol).includes(family)));
  const withPorts = sport.length + dport.length > 0;
  return withPorts ? points(usualProtocols) : [[0, 255]];
}

export function matchOf(rule: RuleConfig, sets: SetRegions): RuleMatch {
  const match: RuleMatch = { byFamily: {}, links: rule.links, nft: rule.nft };
  for (const family of families) {
    const [from, to] = [toRegion(rule.from, family, sets), toRegion(rule.to, family, sets)];
    const protocols = protocolsOf(rule, family);
    if (from.length === 0 || to.length === 0 || protocols.length === 0) continue;
    const numbers = {
      protocols,
      sport: orAll(rule.sport, 65535),
      dport: orAll(rule.dport, 65535),
      dscp: orAll(points(rule.dscp), 63),
    };
    const hull = hullOf(from, to, numbers);
    match.byFamily[family] = { from, to, numbers, hull };
  }
  return match;
}

/**
 * The ends of a match, lows negated: a rule can only lie in another if none of its ends is larger.
 * What differs most comes first.
 */
function hullOf(from: Region, to: Region, numbers: FamilyMatch['numbers']): Float64Array {
  const { dport, protocols, sport, dscp } = numbers;
  const ends = [from, to].flatMap((region) => [
    Math.max(...region.map(({ list }) => -Number(list[0]?.[0] ?? Infinity))),
    Math.max(...region.map(({ list }) => Number(list.at(-1)?.[1] ?? -Infinity))),
  ]);
  for (const ranges of [dport, protocols, sport, dscp])
    ends.push(-(ranges[0]?.[0] ?? 0), ranges.at(-1)?.[1] ?? 0);
  return Float64Array.from(ends);
}

const hullSize = 12;

/** The rules so far; with thousands of them, nearly all are told apart by their hulls alone. */
export class Earlier<T> {
  readonly #rows: Record<Family, { match: RuleMatch; value: T }[]> = { 4: [], 6: [] };
  readonly #hulls: Record<Family, Float64Array>;

  constructor(most: number) {
    this.#hulls = byFamily(() => new Float64Array(most * hullSize));
  }

  add(match: RuleMatch, value: T): void {
    for (const family of families) {
      const part = match.byFamily[family];
      if (!part) continue;
      this.#hulls[family].set(part.hull, this.#rows[family].length * hullSize);
      this.#rows[family].push({ match, value });
    }
  }

  /** The first that takes all that this one would. */
  find(match: RuleMatch): T | undefined {
    const family = match.byFamily[4] ? 4 : 6;
    const hull = match.byFamily[family]?.hull ?? new Float64Array(hullSize);
    const hulls = this.#hulls[family];
    const rows = this.#rows[family];
    for (let row = 0; row < rows.length; row++) {
      const earlier = rows[row];
      let i = 0;
      while (i < hullSize && Number(hulls[row * hullSize + i]) >= Number(hull[i])) i++;
      if (i === hullSize && earlier && covers(earlier.match, match)) return earlier.value;
    }
    return undefined;
  }
}

/** Whether `outer` takes whatever `inner` would. A no may be wrong, where only several rules together do. */
function covers(outer: RuleMatch, inner: RuleMatch): boolean {
  for (const family of families) {
    const part = inner.byFamily[family];
    if (part && !coversFamily(outer.byFamily[family], part)) return false;
  }
  if (outer.nft !== '' && outer.nft !== inner.nft) return false;
  if (outer.links.length === 0) return true;
  return inner.links.length > 0 && inner.links.every((link) => outer.links.includes(link));
}

function coversFamily(outer: FamilyMatch | undefined, inner: FamilyMatch): boolean {
  if (!outer) return false;
  const kinds = ['protocols', 'sport', 'dport', 'dscp'] as const;
  return (
    kinds.every((kind) => inner.numbers[kind].every((range) => lies(range, outer.numbers[kind]))) &&
    coversRegion(outer.from, inner.from) &&
    coversRegion(outer.to, inner.to)
  );
}

const coversRegion = (outer: Region, inner: Region): boolean =>
  inner.every(
    (part) =>
      outer.includes(part) ||
      (part.open
        ? outer.some((each) => isEverything(each))
        : part.list.every((stretch) => outer.some(({ list }) => lies(stretch, list)))),
  );

/** Written as 0.0.0.0/0 or ::/0, or as nothing. */
const isEverything = ({ list }: Stretches): boolean =>
  families.some((family) =>
    everything[family][0]?.list[0]?.every((end, i) => end === list[0]?.[i]),
  );

/** Whether one of the sorted stretches holds all of it. */
function lies<T extends bigint | number>(
  [first, last]: readonly [T, T],
  stretches: readonly (readonly [T, T])[],
): boolean {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const begin = stretches[middle];
    if (begin && begin[0] <= first) low = middle + 1;
    else high = middle;
  }
  const candidate = stretches[low - 1];
  return candidate !== undefined && candidate[1] >= last;
}
