// Which bits of the mark a rule of nft reads and writes, from its JSON.

import { asJson, type Json } from './nft-json.ts';
import type { MarkUse } from './rule.ts';

type Of = MarkUse['of'];

const full = 0xffffffff;

/** `meta mark` or `ct mark`. */
function markOf(value: unknown): Of | undefined {
  const json = asJson(value);
  if (asJson(json.meta).key === 'mark') return 'packet';
  return asJson(json.ct).key === 'mark' ? 'connection' : undefined;
}

/** A mark, or some bits of one. */
function maskedMark(value: unknown): { of: Of; mask: number } | undefined {
  const of = markOf(value);
  if (of) return { of, mask: full };
  const [left, right] = operands(value, '&');
  const masked = markOf(left);
  return masked && typeof right === 'number' ? { of: masked, mask: right >>> 0 } : undefined;
}

function operands(value: unknown, operator: string): [unknown, unknown] {
  const pair = asJson(value)[operator];
  return Array.isArray(pair) ? [pair[0], pair[1]] : [undefined, undefined];
}

/** What a mark becomes: bits of it that stay, bits that come from the other mark, and the rest. */
interface Result {
  kept: number;
  copied: number;
  value: number;
}

const unknown: Result = { kept: 0, copied: 0, value: 0 };

/** Bit by bit, as the kernel computes it. */
function evaluate(value: unknown, target: Of): Result {
  if (typeof value === 'number') return { ...unknown, value: value >>> 0 };
  const of = markOf(value);
  if (of) return of === target ? { ...unknown, kept: full } : { ...unknown, copied: full };
  for (const operator of ['&', '|', '^']) {
    const [left, right] = operands(value, operator);
    if (left === undefined) continue;
    const [a, b] = [evaluate(left, target), evaluate(right, target)];
    if (operator === '&' && typeof right === 'number') return masked(a, b.value);
    // Bits that one side fixes and the other keeps: the fixed ones count as written.
    const written = operator === '&' ? 0 : a.value | b.value;
    return {
      kept: ((a.kept | b.kept) & ~written) >>> 0,
      copied: ((a.copied | b.copied) & ~written) >>> 0,
      value: written >>> 0,
    };
  }
  return unknown;
}

const masked = ({ kept, copied, value }: Result, mask: number): Result => ({
  kept: (kept & mask) >>> 0,
  copied: (copied & mask) >>> 0,
  value: (value & mask) >>> 0,
});

/** Each value that a map can give. */
function alternatives(value: unknown): unknown[] {
  const { set } = asJson(asJson(asJson(value).map).data);
  if (!Array.isArray(set)) return [value];
  return set.map((pair) => (Array.isArray(pair) ? pair[1] : undefined));
}

function parseSet({ key, value }: Json): MarkUse[] {
  const of = markOf(key);
  if (!of) return [];
  return alternatives(value).map((each): MarkUse => {
    const { kept, copied, value: written } = evaluate(each, of);
    if (copied === 0) return { verb: 'set', of, value: written, mask: ~kept >>> 0 };
    return { verb: of === 'connection' ? 'save' : 'restore', of, value: 0, mask: ~kept >>> 0 };
  });
}

/** Numbers that a mark is compared with; both ends of a range. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value >>> 0];
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  const { set, range } = asJson(value);
  return numbersIn(set ?? range ?? []);
}

function parseTest(left: unknown, right: unknown): MarkUse[] {
  const mark = maskedMark(left);
  if (!mark) return [];
  return numbersIn(right).map((value) => ({ verb: 'test', ...mark, value }));
}

/** The keys of a map of verdicts. */
function parseMap({ key, data }: Json): MarkUse[] {
  const { set } = asJson(data);
  const pairs = Array.isArray(set) ? set : [];
  return parseTest(
    key,
    pairs.map((pair) => (Array.isArray(pair) ? pair[0] : undefined)),
  );
}

/** Every use of a mark in the expressions of one rule. */
export const parseMarkUses = (expr: Json[]): MarkUse[] =>
  expr
    .flatMap((part) => {
      const { left, right } = asJson(part.match);
      return [
        ...parseTest(left, right),
        ...parseMap(asJson(part.vmap)),
        ...parseSet(asJson(part.mangle)),
      ];
    })
    .filter(({ mask }) => mask !== 0);
