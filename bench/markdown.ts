// The tables of docs/performance.md, from the rows that say where they stand in one. Pure.

import { type Cell, formatNumber, type Row } from './rows.ts';

type Placed = Row & { cell: Cell };

const isPlaced = (row: Row): row is Placed => row.cell !== null;

const distinct = (words: string[]): string[] => [...new Set(words)];

/** Without the unit where all of the table have the same: its head says it. */
function formatCell({ value, unit, ratio, met }: Row, oneUnit: boolean): string {
  const compared = ratio === null ? '' : ` (× ${ratio.toFixed(2)})`;
  const text = `${formatNumber(value)}${oneUnit ? '' : ` ${unit}`}${compared}`;
  return met === false ? `**${text}**` : text;
}

function formatTable(title: string, rows: Placed[]): string {
  const names = distinct(rows.map(({ cell }) => cell.row));
  const columns = distinct(rows.map(({ cell }) => cell.column));
  const units = distinct(rows.map(({ unit }) => unit));
  const oneUnit = units.length === 1;
  const lines = names.map((name) => [
    name,
    ...columns.map((column) => {
      const found = rows.find(({ cell }) => cell.row === name && cell.column === column);
      return found ? formatCell(found, oneUnit) : '';
    }),
  ]);
  const head = [oneUnit ? (units[0] ?? '') : '', ...columns];
  const all = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...lines];
  return [`### ${title}`, '', ...all.map((line) => `| ${line.join(' | ')} |`)].join('\n');
}

/** Markdown; × is the ratio to the table's baseline, and bold is what has missed its aim. '' if no row stands in a table. */
export function formatTables(rows: Row[]): string {
  const placed = rows.filter(isPlaced);
  return distinct(placed.map(({ cell }) => cell.table))
    .map((title) =>
      formatTable(
        title,
        placed.filter(({ cell }) => cell.table === title),
      ),
    )
    .join('\n\n');
}
