// A table for people: columns as wide as they must be.

import { type Paint, plain, type Style } from './paint.ts';

export interface Column {
  title: string;
  /** Numbers stand right. */
  right?: boolean;
  /** Left out where no row has anything in it. */
  optional?: boolean;
}

export type Cell = string | { text: string; style: Style };

/** So many rows say how wide the columns are; what comes after them is printed as it comes. */
const lookAhead = 1000;

type Row = readonly Cell[];

const textOf = (cell: Cell | undefined): string =>
  typeof cell === 'object' ? cell.text : (cell ?? '');

/** Title line and rows, two blanks between columns, none at the end of a line. */
export function* formatRows(
  columns: readonly Column[],
  rows: Iterable<Row>,
  paint: Paint = plain,
): Generator<string> {
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'bold' }));
  let format: ((row: Row) => string) | undefined;
  const ahead: Row[] = [];
  for (const row of rows) {
    if (format) {
      yield format(row);
      continue;
    }
    ahead.push(row);
    if (ahead.length < lookAhead) continue;
    format = rowFormat(columns, ahead, paint);
    yield* [titles, ...ahead].map(format);
  }
  if (!format) yield* [titles, ...ahead].map(rowFormat(columns, ahead, paint));
}

/** The same at once. */
export const formatColumns = (
  columns: readonly Column[],
  rows: readonly Row[],
  paint: Paint = plain,
): string[] => [...formatRows(columns, rows, paint)];

/** How a row is printed in a table of which these are rows. */
function rowFormat(columns: readonly Column[], rows: readonly Row[], paint: Paint) {
  const widths = columns.map(({ title, optional }, i) => {
    const longest = Math.max(0, ...rows.map((row) => textOf(row[i]).length));
    return optional && longest === 0 ? 0 : Math.max(title.length, longest);
  });
  const isShown = columns.map(({ optional }, i) => !optional || widths[i] !== 0);
  const painter = (cell: Cell | undefined): string =>
    typeof cell === 'object' ? paint(cell.style, cell.text) : (cell ?? '');
  return (row: Row): string =>
    columns
      .map(({ right }, i) => {
        const text = textOf(row[i]);
        const blanks = ' '.repeat(Math.max(0, (widths[i] ?? 0) - text.length));
        const painted = painter(row[i]);
        return right ? blanks + painted : painted + blanks;
      })
      .filter((_, i) => isShown[i])
      .join('  ')
      .trimEnd();
}
