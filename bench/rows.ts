// Figures: medians, and the rows in which they are shown and kept.

/** A measurement that was not what it claims to be: no figure is better than this one. */
export class Refused extends Error {}

/** Where a figure stands in the tables of docs/performance.md. */
export interface Cell {
  table: string;
  row: string;
  column: string;
}

export interface Row {
  name: string;
  value: number;
  unit: string;
  /** What the value is compared with, in the same unit, and what that is. */
  baseline: number | null;
  baselineName: string | null;
  /** value / baseline */
  ratio: number | null;
  /** Bound of the value or of the ratio: the upper one, or with `atLeast` the lower one. */
  aim: number | null;
  aimOf: 'value' | 'ratio' | null;
  atLeast: boolean;
  /** null: there is no aim. */
  met: boolean | null;
  cell: Cell | null;
}

export interface Figure {
  name: string;
  value: number;
  unit: string;
  baseline?: number;
  baselineName?: string;
  aim?: number;
  aimOf?: 'value' | 'ratio';
  atLeast?: boolean;
  cell?: Cell;
}

export function toRow(figure: Figure): Row {
  const { name, value, unit, baseline, baselineName, aim, atLeast = false } = figure;
  const ratio = baseline ? value / baseline : undefined;
  const aimOf = figure.aimOf ?? 'value';
  const judged = aimOf === 'value' ? value : ratio;
  return {
    ...{ name, value, unit },
    baseline: baseline ?? null,
    baselineName: baselineName ?? null,
    ratio: ratio ?? null,
    aim: aim ?? null,
    aimOf: aim === undefined ? null : aimOf,
    atLeast,
    met: aim === undefined || judged === undefined ? null : isMet(judged, aim, atLeast),
    cell: figure.cell ?? null,
  };
}

const isMet = (judged: number, aim: number, atLeast: boolean): boolean =>
  atLeast ? judged >= aim : judged <= aim;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half];
  if (upper === undefined) throw new Error('median of nothing');
  return sorted.length % 2 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}

/** Tries again what was refused: on a busy machine a signal or a neighbour spoils some rounds. */
export function insist<T>(measure: () => T, tries = 4): T {
  for (let left = tries; ; left--) {
    try {
      return measure();
    } catch (error) {
      if (!(error instanceof Refused) || left <= 1) throw error;
    }
  }
}

const digits = (value: number): number => {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return 0;
  return Math.abs(value) >= 10 ? 1 : 2;
};

export const formatNumber = (value: number | null): string =>
  value === null
    ? ''
    : value.toLocaleString('en-US', {
        minimumFractionDigits: digits(value),
        maximumFractionDigits: digits(value),
      });

function formatAim({ aim, aimOf, atLeast }: Row): string {
  if (aim === null) return '';
  return `${atLeast ? '≥' : '≤'} ${aimOf === 'ratio' ? `× ${aim}` : formatNumber(aim)}`;
}

const metWord = new Map<boolean | null, string>([
  [true, 'yes'],
  [false, 'NO'],
  [null, ''],
]);

/** A table of plain text: words to the left, numbers to the right. */
export function formatRows(rows: Row[]): string {
  const head = ['', 'value', 'unit', 'baseline', 'ratio', 'aim', 'met', 'baseline is'];
  const lines = rows.map((row) => [
    row.name,
    formatNumber(row.value),
    row.unit,
    formatNumber(row.baseline),
    row.ratio === null ? '' : row.ratio.toFixed(2),
    formatAim(row),
    metWord.get(row.met) ?? '',
    row.baselineName ?? '',
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const left = new Set([0, 2, 6, 7]);
  const pad = (word: string, column: number): string =>
    left.has(column) ? word.padEnd(widths[column]!) : word.padStart(widths[column]!);
  return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}
