// node bench/main.ts failover [--runs N] [--fault NAME]…: how long a fault is noticed, with ours and with
// what people use. Prints a table and writes build/bench/failover.json. How: docs/failover-bench.md.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/util/error.ts';
import { clearLabs } from '../path/labs.ts';
import type { Row } from '../rows.ts';
import { measureCalm } from './calm.ts';
import { type Case, cases } from './cases.ts';
import { measureSeries, type Series, type SeriesOptions } from './series.ts';
import { baselines, formatMs, formatTable, toRows } from './table.ts';

const jsonPath = fileURLToPath(new URL('../../build/bench/failover.json', import.meta.url));

export interface FailoverOptions {
  /** Of each fault with ours, and with each baseline; 0: not measured. */
  runs: number;
  baselineRuns: number;
  /** How long nothing is wrong; 0: not measured. */
  calmMinutes: number;
  /** Names of faults; empty: all. */
  faults: string[];
}

const oursMs = 10_000;
const baselineMs = 30_000;
const size = { perSecond: 200, idle: 200, busy: 100 };
/** Baselines are measured in seconds, and all at the same time. */
const baselineSize = { perSecond: 20, idle: 20, busy: 20 };
const labsAtOnce = 9;

/** `refuse`: is told what could not be measured. */
export async function measureFailover(
  options: FailoverOptions,
  refuse: (reason: string) => void,
): Promise<Row[]> {
  const chosen = chooseCases(options.faults);
  try {
    const ours = await measureOurs(chosen, options.runs);
    const calm = options.calmMinutes > 0 ? await calmOf(options.calmMinutes) : undefined;
    const others = await measureBaselines(chosen, options.baselineRuns);
    const measured = { series: [...ours, ...others], calm, baselineMs };
    console.log(`${formatTable(measured)}\n`);
    writeFileSync(jsonPath, `${JSON.stringify({ options, size, ...measured }, null, 2)}\n`);
    for (const { contender, case: name, problem } of measured.series)
      if (problem !== '') refuse(`failover: ${contender}, ${name}: ${problem}`);
    return toRows(measured);
  } finally {
    await clearLabs();
  }
}

function chooseCases(names: string[]): Case[] {
  const known = cases.map(({ name }) => name);
  for (const name of names)
    if (!known.includes(name))
      throw new UserError(`bench: no fault "${name}", but ${known.join(', ')}`);
  return cases.filter(({ name }) => names.length === 0 || names.includes(name));
}

async function measureOurs(chosen: Case[], runs: number): Promise<Series[]> {
  const series: Series[] = [];
  for (const one of runs > 0 ? chosen : [])
    series.push(await measure({ contender: 'ours', case: one, runs, mostMs: oursMs, size }));
  return series;
}

async function measureBaselines(chosen: Case[], runs: number): Promise<Series[]> {
  const waiting = baselines.flatMap((contender) =>
    // Neither looks at traffic.
    chosen
      .filter(({ ask }) => runs > 0 && ask !== 'none')
      .map((one) => ({ contender, case: one, runs, mostMs: baselineMs, size: baselineSize })),
  );
  const series: Series[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) series.push(await measure(next));
  };
  await Promise.all(Array.from({ length: labsAtOnce }, work));
  return series;
}

/** Some minutes pass: who waits wants to know. */
async function measure(options: SeriesOptions): Promise<Series> {
  const series = await measureSeries(options);
  const times = series.runs.map(({ newMs }) => formatMs(newMs));
  const problem = series.problem === '' ? '' : `; ended: ${series.problem}`;
  console.error(`${options.contender}, ${options.case.title}: ${times.join(', ')}${problem}`);
  return series;
}

async function calmOf(minutes: number) {
  const calm = await measureCalm(minutes, size);
  console.error(`${minutes} minutes with nothing wrong: ${JSON.stringify(calm)}`);
  return calm;
}
