import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTables } from './markdown.ts';
import { toRow } from './rows.ts';

const cell = (row: string, column: string, table = 'A packet') => ({ table, row, column });

test('rows of one table and one unit: the unit at the head, what missed its aim in bold', () => {
  const rows = [
    toRow({ name: 'a', value: 1397, unit: 'ns', cell: cell('sender', 'out') }),
    toRow({ name: 'b', value: 2000, unit: 'ns', baseline: 2000, cell: cell('plain', 'out') }),
    toRow({
      ...{ name: 'c', value: 1000, unit: 'ns', baseline: 2000, cell: cell('ours', 'out') },
      ...{ aim: 0.33, aimOf: 'ratio' },
    }),
    toRow({ name: 'd', value: 7, unit: 'ns', cell: cell('ours', 'back') }),
    toRow({ name: 'in no table', value: 1, unit: 'ns' }),
  ];
  assert.equal(
    formatTables(rows),
    [
      '### A packet',
      '',
      '| ns | out | back |',
      '| --- | --: | --: |',
      '| sender | 1,397 |  |',
      '| plain | 2,000 (× 1.00) |  |',
      '| ours | **1,000 (× 0.50)** | 7 |',
    ].join('\n'),
  );
});

test('several units stand in the cells; each table has its own', () => {
  const rows = [
    toRow({ name: 'a', value: 900, unit: '/s', cell: cell('plain', 'new') }),
    toRow({
      ...{ name: 'b', value: 850, unit: '/s', baseline: 900, cell: cell('ours', 'new') },
      ...{ aim: 0.9, aimOf: 'ratio', atLeast: true },
    }),
    toRow({ name: 'c', value: 1.5, unit: 'ms', cell: cell('plain', 'p50') }),
    toRow({ name: 'd', value: 3, unit: 'ns', cell: cell('x', 'y', 'Other') }),
  ];
  const [first, second] = formatTables(rows).split('\n\n### ');
  assert.match(
    first ?? '',
    /\| plain \| 900 \/s \| 1\.50 ms \|\n\| ours \| 850 \/s \(× 0\.94\) \|/,
  );
  assert.match(second ?? '', /^Other\n\n\| ns \| y \|/);
});

test('nothing is made of rows that stand in no table', () => {
  assert.equal(formatTables([toRow({ name: 'a', value: 1, unit: 'ns' })]), '');
});
