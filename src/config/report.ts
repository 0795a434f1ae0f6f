// Collects what is wrong with a configuration, each with its place.

import type { Problem } from '../model/problem.ts';
import type { Path, Tree } from './tree.ts';

export interface Finding {
  path: Path;
  /** Points at the key itself: it should not be there. */
  atKey?: boolean;
  reason: string;
  hint?: string;
}

export class Report {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #tree: Tree;

  constructor(file: string, tree: Tree) {
    this.#file = file;
    this.#tree = tree;
    for (const { place, path, reason, hint } of tree.faults)
      this.add({ severity: 'error', file, ...place, key: path.join('.'), reason, hint });
  }

  error(finding: Finding): void {
    this.#find('error', finding);
  }

  warning(finding: Finding): void {
    this.#find('warning', finding);
  }

  /** For what has its place in another file. */
  add(problem: Problem): void {
    this.problems.push(problem);
  }

  get hasErrors(): boolean {
    return this.problems.some(({ severity }) => severity === 'error');
  }

  lineOf(path: Path): number {
    return this.#tree.find(path).line;
  }

  #find(severity: Problem['severity'], { path, atKey, reason, hint = '' }: Finding): void {
    const { path: found, line, column } = this.#tree.find(path, atKey ? 'key' : 'value');
    this.add({ severity, file: this.#file, line, column, key: found.join('.'), reason, hint });
  }

  sorted(severity: Problem['severity']): Problem[] {
    const some = this.problems.filter((problem) => problem.severity === severity);
    return withoutRepeats(some.sort(byPlace(this.#file)));
  }
}

/** yaml says some things twice, and what is true of both families is. */
const withoutRepeats = (sorted: readonly Problem[]): Problem[] =>
  sorted.filter((problem, i) => {
    const before = sorted[i - 1];
    const repeats =
      before?.file === problem.file &&
      before.line === problem.line &&
      before.column === problem.column &&
      before.key === problem.key &&
      before.reason === problem.reason;
    return !repeats;
  });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** In the order of the file; what its sets' files say comes behind. */
export const byPlace =
  (file: string) =>
  (a: Problem, b: Problem): number =>
    Number(a.file !== file) - Number(b.file !== file) ||
    compare(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column;
