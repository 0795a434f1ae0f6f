// Tables for people: widths, colours, and tables too long to be looked at as a whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatColumns, formatRows } from './columns.ts';
import type { Paint } from './paint.ts';

const columns = [{ title: 'name' }, { title: 'n', right: true }, { title: 'why', optional: true }];

test('columns are as wide as they must be, numbers stand right', () => {
  const rows = [
    ['fiber', '7', 'down'],
    ['lte', '1000', ''],
  ];
  assert.deepEqual(formatColumns(columns, rows), [
    'name      n  why',
    'fiber     7  down',
    'lte    1000',
  ]);
});

test('an optional column of which nobody has anything is left out', () => {
  assert.deepEqual(formatColumns(columns, [['lte', '1', '']]), ['name  n', 'lte   1']);
  assert.deepEqual(formatColumns(columns, []), ['name  n']);
});

test('a colour takes no room', () => {
  const paint: Paint = (style, text) => `<${style}>${text}</>`;
  const rows = [[{ text: 'up', style: 'green' as const }, '1', '']];
  assert.deepEqual(formatColumns(columns, rows, paint), [
    '<bold>name</>  <bold>n</>',
    '<green>up</>    1',
  ]);
});

test('a table of a million rows is printed while it is read', () => {
  let read = 0;
  function* rows(): Generator<string[]> {
    for (;;) yield [String(read++)];
  }
  const lines = formatRows([{ title: 'n', right: true }], rows());
  for (let i = 0; i < 2000; i++) lines.next();
  assert.ok(read < 2100, `${read} rows were read for 2000 lines`);
  assert.equal(lines.next().value, '1999');
});
