// The configuration file: text -> Config, or everything that is wrong with it at once.

import type { Config } from '../model/config.ts';
import type { Problem } from '../model/problem.ts';
import { buildConfig } from './build.ts';
import { checkDraft } from './check.ts';
import { lintRules, lintUse } from './lint.ts';
import type { Prefix } from './prefix.ts';
import { type Draft, type Item, readDraft, type SetOfPrefixes } from './read.ts';
import { Report } from './report.ts';
import { type ReadFile, readSetFile } from './set-file.ts';
import { Tree } from './tree.ts';

export type { ReadFile } from './set-file.ts';

/** Problems refuse the file, warnings do not; both in the order of the file. */
export type Parsed =
  | { config: Config; warnings: Problem[] }
  | { problems: Problem[]; warnings: Problem[] };

/** `file` is shown, and what the files of sets are relative to; `readFile` throws if it can't. */
export function parseConfig(text: string, file: string, readFile: ReadFile): Parsed {
  const tree = new Tree(text);
  const report = new Report(file, tree);
  const draft = readDraft(tree.plain, report);
  checkDraft(draft, report);
  const prefixes = new Map(
    draft.sets.map((set) => [set.name, prefixesOf(set, { from: file, readFile }, report)]),
  );
  const sound = withoutDamage(draft);
  const config = buildConfig(sound, {
    prefixes,
    at: ({ path }) => `${file}:${report.lineOf(path)}`,
  });
  lintRules(
    config,
    sound.rules.map(({ path }) => path),
    report,
  );
  if (!report.hasErrors) lintUse(config, report);
  const warnings = report.sorted('warning');
  return report.hasErrors ? { problems: report.sorted('error'), warnings } : { config, warnings };
}

/** A set that is not what its file says is damaged, too. */
function prefixesOf(
  set: Item<SetOfPrefixes>,
  place: { from: string; readFile: ReadFile },
  report: Report,
): Prefix[] {
  const { prefixes = [], file: name, domains } = set.value;
  const problems = report.problems.length;
  const nothing = name === undefined && set.value.prefixes === undefined && domains === undefined;
  if (nothing && set.lost.length === 0)
    report.error({ path: set.path, reason: 'a set needs prefixes, a file or domains' });
  const path = [...set.path, 'file'];
  const read = name === undefined ? [] : readSetFile({ ...place, name, path }, report);
  if (report.problems.length > problems) set.lost.push('file');
  return [...prefixes, ...read];
}

/**
 * Rules that lost a part, or whose set did, would seem to match more or less than they do: nothing
 * is said of whether they can match.
 */
function withoutDamage(draft: Draft): Draft {
  const complete = new Set(
    draft.sets.filter(({ lost }) => lost.length === 0).map(({ name }) => name),
  );
  const rules = draft.rules.filter(
    ({ lost, value }) =>
      lost.length === 0 &&
      [...(value.from ?? []), ...(value.to ?? [])].every(
        (source) => 'prefix' in source || complete.has(source.set),
      ),
  );
  return { ...draft, rules };
}
