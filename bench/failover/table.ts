// What the failover part measured: as rows with aims, and as the table of README.md. Pure.

import { formatNumber, type Row, toRow } from '../rows.ts';
import type { Calm } from './calm.ts';
import { type Case, cases } from './cases.ts';
import { quantile } from './figures.ts';
import type { RunFigures } from './run.ts';
import type { ContenderName, Series } from './series.ts';

/** Of the UDP stream, and of TCP clients until they are answered again. */
const cutAimMs = 1000;

export interface Measured {
  series: Series[];
  calm: Calm | undefined;
  /** How long a fault of a baseline lasts at the most. */
  baselineMs: number;
}

function runsOf({ series }: Measured, contender: ContenderName, name: string): RunFigures[] {
  return series.find((one) => one.contender === contender && one.case === name)?.runs ?? [];
}

const worst = (values: number[]): number | undefined =>
  values.length > 0 ? quantile(values, 0.99) : undefined;

const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);

/** Figures of ours. */
function figuresOf(runs: RunFigures[]) {
  return {
    newMs: runs.map((run) => run.newMs),
    gap: worst(runs.map(({ gapMs }) => gapMs)),
    wait: worst(runs.flatMap(({ waitsMs }) => waitsMs)),
    disturbed: sum(runs.map((run) => run.disturbed)),
    movedBack: sum(runs.map((run) => run.movedBack)),
  };
}

export function toRows(measured: Measured): Row[] {
  const rows = cases.flatMap((one) => {
    const runs = runsOf(measured, 'ours', one.name);
    return runs.length > 0 ? rowsOf(one, runs) : [];
  });
  const { calm } = measured;
  if (!calm) return rows;
  const name = `failover, nothing wrong for ${calm.minutes} minutes: gateways said to be down`;
  return [...rows, toRow({ name, value: calm.down, unit: '', aim: 0 })];
}

function rowsOf(one: Case, runs: RunFigures[]): Row[] {
  const { newMs, gap, wait, disturbed, movedBack } = figuresOf(runs);
  const name = (what: string) => `failover, ${one.title}: ${what}`;
  const cutAim = one.cuts ? { aim: cutAimMs } : {};
  const ms = (what: string, value: number | undefined, aim = {}) =>
    value === undefined ? [] : [toRow({ name: name(what), value, unit: 'ms', ...aim })];
  const rows = [
    ...ms('new connections fail, p50', quantile(newMs, 0.5)),
    ...ms('new connections fail, p99', quantile(newMs, 0.99), { aim: one.aimMs }),
  ];
  if (one.ask === 'none') return rows;
  const count = (what: string, value: number) =>
    toRow({ name: name(what), value, unit: '', aim: 0 });
  return [
    ...rows,
    ...ms('UDP stream silent, p99', gap, cutAim),
    ...ms('TCP clients of the dead link wait, p99', wait, cutAim),
    count('connections of the healthy link disturbed', disturbed),
    count('connections that moved back', movedBack),
  ];
}

/** What ours is compared with, in the order of the table. */
export const baselines: ContenderName[] = ['multipath', 'tuned', 'script'];

const head = [
  'fault',
  'new connections fail: p50 / p99 / max',
  'aim (p99)',
  'UDP silent, p99',
  'TCP clients wait, p99',
  'healthy link disturbed',
  'multipath route',
  'the same, tuned',
  'marks and ping watchdog',
];

/** Markdown. */
export function formatTable(measured: Measured): string {
  const lines = cases
    .filter(({ name }) => measured.series.some((one) => one.case === name))
    .map((one) => formatCase(measured, one));
  const all = [head, head.map(() => '---'), ...lines];
  return [...all.map((line) => `| ${line.join(' | ')} |`), '', formatCalm(measured)].join('\n');
}

function formatCase(measured: Measured, one: Case): string[] {
  const runs = runsOf(measured, 'ours', one.name);
  const { newMs, gap, wait, disturbed } = figuresOf(runs);
  const spread = [0.5, 0.99, 1].map((share) => runs.length > 0 && quantile(newMs, share));
  const noticed = (what: string) => (one.ask === 'none' || runs.length === 0 ? '' : what);
  return [
    one.title,
    spread.map((value) => (value === false ? '' : formatMs(value))).join(' / '),
    `≤ ${formatMs(one.aimMs)}`,
    noticed(formatMs(gap)),
    noticed(formatMs(wait)),
    noticed(String(disturbed)),
    ...baselines.map((name) => formatBaseline(measured, name, one)),
  ];
}

/** Neither of them looks at traffic: to them an idle link is as a busy one. */
function formatBaseline(measured: Measured, contender: ContenderName, { name }: Case): string {
  const runs = runsOf(measured, contender, name === 'idle' ? 'blackhole' : name);
  if (runs.length === 0) return '';
  const times = runs.map(({ newMs }) => newMs);
  const some = times.filter((time) => time !== Infinity);
  const never = `never within ${formatMs(measured.baselineMs)}`;
  if (some.length === 0) return never;
  const span = [Math.min(...some), Math.max(...some)].map(formatMs);
  const found = [...new Set(span)].join(' to ');
  const rest = times.length - some.length;
  return rest === 0 ? found : `${found}; ${rest} of ${times.length} ${never}`;
}

function formatCalm({ calm }: Measured): string {
  if (!calm) return '';
  return (
    `${calm.minutes} minutes of 20 ms latency, 2 % loss each way and a busy CPU: ${calm.down} times ` +
    `a gateway was said to be down; ${calm.broken} of ${calm.held} held connections were broken ` +
    `(${formatNumber(calm.requests)} new ones were made).\n`
  );
}

export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms === Infinity) return 'never';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s`;
}
