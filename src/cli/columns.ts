// A table for people: columns as wide as they must be.

export interface Column {
  title: string;
  /** Numbers stand right. */
  right?: boolean;
}

/** Title line and rows, two blanks between columns, none at the end of a line. */
export function formatColumns(columns: readonly Column[], rows: readonly string[][]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines.map((line) =>
    columns
      .map(({ right }, i) => {
        const [text, width] = [line[i] ?? '', widths[i] ?? 0];
        return right ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
