// The file's items, one by one: what is sound of each, though others are not.

import type * as z from 'zod';
import { badName, findingsOf, prune, unknownKey } from './issues.ts';
import type { Report } from './report.ts';
import * as schema from './schema.ts';
import { kindOf, namePattern } from './shape.ts';
import type { Path } from './tree.ts';

/** One gateway, service, set or rule. */
export interface Item<T> {
  /** '' for a rule. */
  name: string;
  path: Path;
  value: T;
  /** The keys of which something was wrong and is not in `value`; '' = all of them. */
  lost: string[];
}

export type General = z.output<typeof schema.general>;
export type Gateway = z.output<typeof schema.gateway>;
export type Service = z.output<typeof schema.service>;
export type SetOfPrefixes = z.output<typeof schema.set>;
export type Rule = z.output<typeof schema.rule>;

export interface Draft {
  general: General;
  gateways: Item<Gateway>[];
  services: Item<Service>[];
  sets: Item<SetOfPrefixes>[];
  rules: Item<Rule>[];
  /** Of all that the file has, sound or not. */
  names: { gateways: string[]; services: string[]; sets: string[] };
}

type Map = Record<string, unknown>;

export function readDraft(plain: unknown, report: Report): Draft {
  const top = topOf(plain, report);
  const names = (key: string) => Object.keys(asMap(top[key]) ?? {});
  return {
    general: readGeneral(top, report),
    gateways: readNamed('gateways', schema.gateway, top, report),
    services: readNamed('services', schema.service, top, report),
    sets: readNamed('sets', schema.set, top, report),
    rules: readRules(top.rules, report),
    names: { gateways: names('gateways'), services: names('services'), sets: names('sets') },
  };
}

/** A key whose value was commented away is as good as none. */
function topOf(plain: unknown, report: Report): Map {
  const map = asMap(plain);
  if (!map) {
    // What YAML complained of is no structure either, and was said.
    const empty = plain === null || plain === undefined;
    const reason = empty ? 'the file is empty' : `must be a map (key: value), not ${kindOf(plain)}`;
    if (report.problems.length === 0)
      report.error({ path: [], reason, hint: 'write gateways:, services: and rules:' });
    return {};
  }
  const known = Object.keys(schema.file.shape);
  for (const key of Object.keys(map))
    if (!known.includes(key)) report.error(unknownKey([key], known));
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

const asMap = (value: unknown): Map | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Map) : undefined;

function readGeneral(top: Map, report: Report): General {
  const keys = Object.keys(schema.general.shape).filter((key) => Object.hasOwn(top, key));
  const value = Object.fromEntries(keys.map((key) => [key, top[key]]));
  return (
    readItem(schema.general, { name: '', path: [], value }, report)?.value ??
    schema.general.parse({})
  );
}

function readNamed<T>(key: string, form: z.ZodType<T>, top: Map, report: Report): Item<T>[] {
  const map = asMap(top[key]);
  if (!map) {
    if (top[key] !== undefined)
      report.error({ path: [key], reason: `must be a map (name: …), not ${kindOf(top[key])}` });
    return [];
  }
  return Object.entries(map).flatMap(([name, value]) => {
    const path = [key, name];
    if (!namePattern.test(name)) report.error(badName(path));
    return readItem(form, { name, path, value }, report) ?? [];
  });
}

function readRules(value: unknown, report: Report): Item<Rule>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report.error({ path: ['rules'], reason: `must be a list (- …), not ${kindOf(value)}` });
    return [];
  }
  return value.flatMap(
    (each, i) => readItem(schema.rule, { name: '', path: ['rules', i], value: each }, report) ?? [],
  );
}

/** What is wrong is taken out, at last with what is around it; undefined if nothing is left then. */
const rounds = 5;

function readItem<T>(
  form: z.ZodType<T>,
  { value, ...item }: Omit<Item<unknown>, 'lost'>,
  report: Report,
): Item<T> | undefined {
  let result = form.safeParse(value);
  if (result.success) return { ...item, value: result.data, lost: [] };
  for (const issue of result.error.issues)
    for (const finding of findingsOf(issue, item.path, value)) report.error(finding);
  const lost = new Set<string>();
  let rest = value;
  for (let up = 0; up < rounds && !result.success; up++) {
    for (const key of keysOf(result.error.issues)) lost.add(key);
    rest = prune(rest, result.error.issues, up);
    result = form.safeParse(rest);
  }
  return result.success ? { ...item, value: result.data, lost: [...lost] } : undefined;
}

const keysOf = (issues: readonly z.core.$ZodIssue[]): string[] =>
  issues.flatMap((issue) =>
    issue.path.length === 0 && issue.code === 'unrecognized_keys'
      ? issue.keys
      : [String(issue.path[0] ?? '')],
  );
