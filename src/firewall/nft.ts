// The list of `nft -j list ruleset` -> rules. What nft can't tell in JSON (the matches and targets of
// iptables-nft) is iptables.ts's to read.

import type { Family } from '../model/table.ts';
import { asJson, isJson, type Json, leaves, targetsOf } from './nft-json.ts';
import { parseMarkUses } from './nft-marks.ts';
import { parsePassing } from './nft-passing.ts';
import {
  type BaseChain,
  type FirewallRule,
  type LinkMatch,
  type LooseRule,
  type Nat,
  placeRules,
} from './rule.ts';

interface NftChain {
  family: string;
  table: string;
  name: string;
  type?: string;
  hook?: string;
  prio?: number;
  /** nft 1.0.6 does not tell it. */
  dev?: string | string[];
}

interface NftRule {
  family: string;
  table: string;
  chain: string;
  handle: number;
  expr: Json[];
}

const familiesOf: Record<string, Family[]> = { ip: [4], ip6: [6], inet: [4, 6] };
/** The table that src/plan/objects.ts makes. */
const ourTable = 'inet lvsj';

const keyOf = (left: unknown): string => {
  const { key } = asJson(asJson(left).meta);
  return typeof key === 'string' ? key : '';
};

const matches = (expr: Json[]): Json[] =>
  expr.filter((part) => 'match' in part).map((part) => asJson(part.match));

function parseOut(expr: Json[]): LinkMatch | null {
  const match = matches(expr).find(({ left }) => ['oifname', 'oif'].includes(keyOf(left)));
  if (!match) return null;
  const names = leaves(match.right).filter((name) => typeof name === 'string');
  return { names, not: match.op === '!=' };
}

/** Matches that leave open where a packet goes: its source, its kind, the links. */
function isPlain({ left }: Json): boolean {
  const { protocol, field } = asJson(asJson(left).payload);
  if (field === 'saddr' || protocol === 'tcp' || protocol === 'udp') return true;
  return ['oifname', 'oif', 'iifname', 'iif', 'nfproto', 'l4proto', 'protocol'].includes(
    keyOf(left),
  );
}

const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^[\da-f.:]+$/i.test(value) && /[.:]/.test(value);

/** A map of addresses is a pair each, of which the second is the new one. */
function addressesOf(value: unknown): string[] {
  const { map } = asJson(value);
  if (map === undefined) return leaves(value).filter(isAddress);
  const { set } = asJson(asJson(map).data);
  const pairs = Array.isArray(set) ? set : [];
  return pairs.flatMap((pair) => (Array.isArray(pair) ? leaves(pair[1]) : [])).filter(isAddress);
}

function parseNat(expr: Json[]): Nat | null {
  if (expr.some((part) => 'masquerade' in part)) return { kind: 'masquerade' };
  const part = expr.find((each) => 'snat' in each);
  if (!part) return null;
  return { kind: 'snat', addresses: addressesOf(asJson(part.snat).addr) };
}

function parseMss(expr: Json[]): FirewallRule['mss'] {
  for (const part of expr) {
    const { key, value } = asJson(part.mangle);
    if (asJson(asJson(key)['tcp option']).name !== 'maxseg') continue;
    return typeof value === 'number' ? value : 'path';
  }
  return null;
}

function parseRule({ family, table, chain, handle, expr }: NftRule): LooseRule {
  const words = `${family} ${table} ${chain} handle ${handle}`;
  return {
    where: `nft rule ${words}`,
    remove: `nft delete rule ${words}`,
    families: familiesOf[family] ?? [],
    table: `${family} ${table}`,
    chain,
    ours: `${family} ${table}` === ourTable,
    out: parseOut(expr),
    picky: matches(expr).some((match) => !isPlain(match)) || expr.some((part) => 'xt' in part),
    marks: parseMarkUses(expr),
    mss: parseMss(expr),
    nat: parseNat(expr),
    offloads: expr.some((part) => 'flow' in part),
    jumps: targetsOf(expr),
    passing: parsePassing(expr),
  };
}

const toBase = ({ type, prio, dev }: NftChain, hook: string): BaseChain => ({
  hook,
  priority: prio ?? 0,
  nat: type === 'nat',
  links: dev === undefined ? null : [dev].flat(),
});

/** All rules of all tables; those of iptables-nft are among them, without their targets. */
export function parseNft(list: unknown[]): FirewallRule[] {
  const parts = list.map(asJson);
  const rules = parts
    .filter(({ rule }) => isJson(rule))
    .map(({ rule }) => rule as never as NftRule);
  const chains = parts.filter(({ chain }) => isJson(chain));
  const tables = Map.groupBy(rules, ({ family, table }) => `${family} ${table}`);
  return [...tables].flatMap(([table, ofTable]) => {
    const bases = new Map<string, BaseChain>();
    for (const part of chains) {
      const chain = part.chain as never as NftChain;
      if (`${chain.family} ${chain.table}` === table && chain.hook !== undefined)
        bases.set(chain.name, toBase(chain, chain.hook));
    }
    return placeRules(ofTable.map(parseRule), bases);
  });
}
