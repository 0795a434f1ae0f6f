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
    return this.#tree.place(path).line;
  }

  #find(severity: Problem['severity'], { path, atKey, reason, hint = '' }: Finding): void {
    const place = this.#tree.place(path, atKey ? 'key' : 'value');
    this.add({ severity, file: this.#file, ...place, key: path.join('.'), reason, hint });
  }

  /** In the order of the file; what its sets' files say comes behind. */
  sorted(severity: Problem['severity']): Problem[] {
    const rank = ({ file }: Problem): number => (file === this.#file ? 0 : 1);
    return this.problems
      .filter((problem) => problem.severity === severity)
      .sort(
        (a, b) =>
          rank(a) - rank(b) ||
          (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
          a.line - b.line ||
          a.column - b.column,
      );
  }
}
