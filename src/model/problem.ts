// What is wrong with a configuration: where, what, and what to do.

export interface Problem {
  /** An error refuses the file; a warning is shown. */
  severity: 'error' | 'warning';
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** Dotted path: `gateways.fiber.via`. */
  key: string;
  /** What is wrong, with the bad text. */
  reason: string;
  /** What to do; '' if the reason says it all. */
  hint: string;
}

/** `file:line:column: key: reason; hint` */
export const formatProblem = ({ severity, ...problem }: Problem): string => {
  const { file, line, column, key, reason, hint } = problem;
  const where = `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}`;
  return `${where}${key === '' ? '' : `${key}: `}${reason}${hint === '' ? '' : `; ${hint}`}`;
};
