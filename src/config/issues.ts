// What zod has against a value, as findings in our words.

import type * as z from 'zod';
import { nearest } from './nearest.ts';
import type { Finding } from './report.ts';
import { kindOf, type LeafParams, nameRule, shorten } from './shape.ts';
import type { Path } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** The findings of an issue; `root` is the path of the value that was parsed, which is `value`. */
export function findingsOf(issue: Issue, root: Path, value: unknown): Finding[] {
  return flatten(issue).flatMap((each) => toFindings(each, root, value));
}

const isWrongKind = (issue: Issue): boolean =>
  issue.path.length === 0 &&
  (issue.code === 'invalid_type' ||
    (issue.code === 'custom' && (issue.params as LeafParams | undefined)?.wrongKind === true));

/** Of a union, the branch that is of the value's kind; if none is, what the first one wants. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const fitting = branches.find((branch) => !branch.some(isWrongKind)) ?? branches[0] ?? [];
  return fitting.flatMap((inner) =>
    flatten({ ...inner, path: [...issue.path, ...inner.path] } as Issue),
  );
}

function toFindings(issue: Issue, root: Path, value: unknown): Finding[] {
  const path = [...root, ...(issue.path as Path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], issue.message.split(' ')));
    case 'invalid_key':
      return [badName(path)];
    case 'invalid_type':
      return [wrongKind(issue, path, value)];
    case 'custom':
      return [
        { path, reason: issue.message, hint: (issue.params as LeafParams | undefined)?.hint },
      ];
    default:
      return [{ path, reason: issue.message }];
  }
}

export const unknownKey = (path: Path, known: readonly string[]): Finding => ({
  path,
  atKey: true,
  reason: `there is no key "${shorten(String(path.at(-1)))}" here`,
  hint: nearest(String(path.at(-1)), known),
});

export const badName = (path: Path): Finding => ({
  path,
  atKey: true,
  reason: `"${shorten(String(path.at(-1)))}" is not a name`,
  hint: nameRule,
});

function wrongKind(issue: Extract<Issue, { code: 'invalid_type' }>, path: Path, value: unknown) {
  const wanted = issue.expected === 'array' ? 'a list' : 'a map (key: value)';
  const found = valueAt(value, issue.path as Path);
  return found === undefined
    ? { path, reason: 'is missing', hint: `write ${wanted}` }
    : { path, reason: `must be ${wanted}, not ${kindOf(found)}` };
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = (at as Record<string | number, unknown> | undefined)?.[step];
  return at;
}

/**
 * A copy without what the issues complain of, so that the rest can be looked at; with `up`, without
 * what is so many steps around it.
 */
export function prune(value: unknown, issues: readonly Issue[], up: number): unknown {
  const copy = copyOf(value);
  for (const issue of issues.flatMap(flatten)) {
    const path = issue.path as Path;
    const keys =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    for (const each of keys) remove(copy, each.slice(0, each.length - up));
  }
  return copy;
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) copy[key] = copyOf(inner);
  return copy;
}

/** Of a list goes the whole: places in what is left of it would be others. */
function remove(value: unknown, path: Path): void {
  const cut = path.findIndex((step) => typeof step === 'number');
  const [last, ...before] = (cut < 0 ? path : path.slice(0, cut)).toReversed();
  const parent = valueAt(value, before.toReversed());
  if (last !== undefined && typeof parent === 'object' && parent !== null)
    delete (parent as Record<string | number, unknown>)[last];
}
