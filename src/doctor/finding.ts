// What a check has found: what is wrong, and what to do about it.

import type { Facts } from '../model/facts.ts';

export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  /** error: traffic goes wrong or is lost; warning: it can be; note: to know. */
  severity: Severity;
  /** The check's name. */
  check: string;
  /** A sentence. */
  what: string;
  /** What to do: a command line wherever one does it. */
  fix: string;
}

/** A finding before its check has signed it. */
export type Found = Omit<Finding, 'check'>;

/** Finds nothing where all is well; throws where a fact can't be read. */
export interface Check {
  name: string;
  find: (facts: Facts) => Found[];
}

const found =
  (severity: Severity) =>
  (what: string, fix: string): Found => ({ severity, what, fix });

export const error = found('error');
export const warning = found('warning');
export const note = found('note');
