// One rule of nftables or iptables, as far as it matters to a director: marks, SNAT, MSS, offload.
// nft.ts and iptables.ts make these of what the programs print.

import type { Family } from '../model/table.ts';
import { type Passing, rulesOnTheWay } from './passing.ts';

/** One use of a mark: which bits, and which value they are set to or compared with. */
export interface MarkUse {
  /** save: packet's mark to the connection's; restore: the other way. Their value is 0. */
  verb: 'set' | 'test' | 'save' | 'restore';
  of: 'packet' | 'connection';
  value: number;
  mask: number;
}

/** Links by name; one that ends in `*` stands for all that begin so. */
export interface LinkMatch {
  names: string[];
  not: boolean;
}

/** Where a rule is met: at a hook, at a priority, by packets that leave by these links (null = any). */
export interface Place {
  hook: string;
  priority: number;
  out: LinkMatch | null;
}

export type Nat = { kind: 'masquerade' } | { kind: 'snat'; addresses: string[] };

export interface FirewallRule {
  /** In words of the program: `iptables -t mangle -A PREROUTING …`, `nft rule ip t c handle 3`. */
  where: string;
  /** The command that deletes it. */
  remove: string;
  families: Family[];
  table: string;
  chain: string;
  /** In the director's own table. */
  ours: boolean;
  /** No place: no packet comes to it. */
  places: Place[];
  out: LinkMatch | null;
  /** It asks for more than a source and an outgoing link: a mark, a destination … */
  picky: boolean;
  marks: MarkUse[];
  /** `path`: to what the route's link carries; a number of bytes; null: not at all. */
  mss: 'path' | number | null;
  nat: Nat | null;
  /** Sends flows past the policy rules. */
  offloads: boolean;
  jumps: string[];
  passing: Passing;
  /** Those from which packets in the middle of a forwarded connection come to it. */
  through: BaseChain[];
}

/** A base chain, where packets begin. */
export interface BaseChain {
  hook: string;
  priority: number;
  /** Only a connection's first packet comes there. */
  nat: boolean;
  /** Of the hook ingress: where it is; null: not told. */
  links: string[] | null;
}

/** A rule before it is known where packets meet it. */
export type LooseRule = Omit<FirewallRule, 'places' | 'through'>;

/** Fills in where packets come to the rules of one table. */
export function placeRules(rules: LooseRule[], bases: Map<string, BaseChain>): FirewallRule[] {
  const byChain = Map.groupBy(rules, ({ chain }) => chain);
  const places = new Map<string, Place[]>();
  const enter = (chain: string, place: Place, above: string[]): void => {
    if (above.includes(chain)) return;
    places.set(chain, [...(places.get(chain) ?? []), place]);
    for (const { jumps, out } of byChain.get(chain) ?? [])
      for (const target of jumps)
        enter(target, { ...place, out: out ?? place.out }, [...above, chain]);
  };
  for (const [chain, { hook, priority }] of bases) enter(chain, { hook, priority, out: null }, []);
  const ways = [...bases]
    .filter(([, { nat }]) => !nat)
    .map(([chain, base]) => ({ base, met: rulesOnTheWay(byChain, chain) }));
  return rules.map((rule) => ({
    ...rule,
    places: (places.get(rule.chain) ?? []).map((place) => ({
      ...place,
      out: rule.out ?? place.out,
    })),
    through: ways.filter(({ met }) => met.has(rule)).map(({ base }) => base),
  }));
}

const fits = (pattern: string, link: string): boolean =>
  pattern.endsWith('*') ? link.startsWith(pattern.slice(0, -1)) : pattern === link;

/** Whether packets that leave by this link match. */
export const covers = (match: LinkMatch | null, link: string): boolean =>
  match === null || match.names.some((name) => fits(name, link)) !== match.not;
