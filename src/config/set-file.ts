// The file of a set: one prefix a line, # comments.

import { dirname, resolve } from 'node:path';
import { readPrefix } from './leaves.ts';
import type { Prefix } from './prefix.ts';
import type { Report } from './report.ts';
import { Refusal } from './shape.ts';
import type { Path } from './tree.ts';

/** Throws if it can't. */
export type ReadFile = (path: string) => string;

/** A file that is something else altogether would fill the screen. */
const mostProblems = 20;

export interface SetFile {
  /** As the configuration names it. */
  name: string;
  /** Of that name in the configuration. */
  path: Path;
  /** The configuration's own file. */
  from: string;
  readFile: ReadFile;
}

/** Its prefixes; the bad lines are reported with their own place. */
export function readSetFile({ name, path, from, readFile }: SetFile, report: Report): Prefix[] {
  const file = resolve(dirname(from), name);
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const why = (error as Error).message.replace(/, \w+ '.*'$/s, '');
    const reason = `can't read ${file}: ${why}`;
    report.error({ path, reason, hint: 'one prefix a line, # comments' });
    return [];
  }
  const key = path.join('.');
  const prefixes: Prefix[] = [];
  let bad = 0;
  for (const [i, whole] of text.split('\n').entries()) {
    const word = whole.replace(/#.*/, '').trim();
    const prefix = word === '' ? undefined : readPrefix(word);
    if (prefix instanceof Refusal && bad++ < mostProblems)
      report.add({
        severity: 'error',
        file,
        line: i + 1,
        column: whole.indexOf(word) + 1,
        key,
        ...prefix,
      });
    else if (prefix && !(prefix instanceof Refusal)) prefixes.push(prefix);
  }
  if (bad > mostProblems)
    report.error({ path, reason: `${file} has ${bad - mostProblems} more bad lines` });
  return prefixes;
}
