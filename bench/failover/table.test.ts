import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunFigures } from './run.ts';
import { formatMs, formatTable, type Measured, toRows } from './table.ts';

const figures = (newMs: number, more: Partial<RunFigures> = {}): RunFigures => ({
  ...{ isp: 'isp1', newMs, knownMs: newMs, gapMs: newMs, waitsMs: [newMs], perSecond: 200 },
  ...{ disturbed: 0, movedBack: 0 },
  ...more,
});

const series = (contender: 'ours' | 'multipath' | 'script', runs: RunFigures[]) => ({
  ...{ contender, case: 'router', runs, problem: '' },
});

const measured: Measured = {
  series: [
    series('ours', [figures(500), figures(600, { disturbed: 1 })]),
    series('multipath', [figures(Infinity)]),
    series('script', [figures(16_000), figures(18_040), figures(Infinity)]),
  ],
  calm: { minutes: 10, down: 0, suspect: 3, requests: 120_000, held: 300, broken: 0 },
  baselineMs: 30_000,
};

test('the table has ours and what others need side by side', () => {
  const [, , line] = formatTable(measured).split('\n');
  assert.equal(
    line,
    '| ISP router dead, carrier stays | 500 ms / 600 ms / 600 ms | ≤ 700 ms | 600 ms | 600 ms | 1 | ' +
      'never within 30 s |  | 16 s to 18.0 s; 1 of 3 never within 30 s |',
  );
});

test('aims are met or missed by p99, and by one connection that was disturbed', () => {
  const rows = toRows(measured).map(({ name, value, met }) => [name.split(': ')[1], value, met]);
  assert.deepEqual(rows, [
    ['new connections fail, p50', 500, null],
    ['new connections fail, p99', 600, true],
    ['UDP stream silent, p99', 600, true],
    ['TCP clients of the dead link wait, p99', 600, true],
    ['connections of the healthy link disturbed', 1, false],
    ['connections that moved back', 0, true],
    ['gateways said to be down', 0, true],
  ]);
});

test('what never came misses its aim', () => {
  const ours = series('ours', [figures(Infinity)]);
  const [, p99] = toRows({ ...measured, series: [ours] });
  assert.deepEqual([p99?.met, formatMs(p99?.value)], [false, 'never']);
});
