// node bench/main.ts [programs|schedulers|path|table …]: measures, prints a table and writes build/bench.json.
// What each figure means and how it is taken: docs/bench.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { requireRoot } from '../src/kernel/director.ts';
import { UserError } from '../src/util/error.ts';
import { run } from '../src/util/run.ts';
import { measurePath } from './path.ts';
import { measurePrograms } from './programs.ts';
import { formatRows, Refused, type Row } from './rows.ts';
import { measureSchedulers } from './schedulers.ts';
import { clearLabs } from './site.ts';
import { measureTable } from './table.ts';

const jsonPath = fileURLToPath(new URL('../build/bench.json', import.meta.url));

const parts: Record<string, () => Row[] | Promise<Row[]>> = {
  programs: measurePrograms,
  schedulers: measureSchedulers,
  path: measurePath,
  table: measureTable,
};

/** All on one CPU: a packet's path does not wander, and its caches stay. The last one has least to do. */
function bindToCpu(): void {
  const allowed = run(['taskset', '-cp', String(process.pid)]);
  const cpu = /(\d+)\s*$/.exec(allowed)?.[1] ?? '0';
  run(['taskset', '-acp', cpu, String(process.pid)]);
}

function describeMachine(): Record<string, unknown> {
  const cpu = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const [load] = readFileSync('/proc/loadavg', 'utf8').split(' ');
  return { kernel, cpu, cpus: availableParallelism(), loadBefore: Number(load) };
}

/** The labs of this run go whatever happens; a killed run's go with the next one. */
function clearOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      clearLabs().finally(() => process.exit(1));
    });
}

/** A part whose figures were refused has none; the others stand. */
async function measureAll(names: string[]): Promise<{ rows: Row[]; refused: string[] }> {
  const rows: Row[] = [];
  const refused: string[] = [];
  for (const name of names) {
    try {
      rows.push(...((await parts[name]?.()) ?? []));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push(`${name}: ${error.message}`);
    }
  }
  return { rows, refused };
}

async function main(words: string[]): Promise<number> {
  requireRoot();
  const names = words.length > 0 ? words : Object.keys(parts);
  for (const name of names)
    if (!(name in parts))
      throw new UserError(`bench: no part "${name}", but ${Object.keys(parts).join(', ')}`);
  const machine = describeMachine();
  bindToCpu();
  clearOnSignals();
  await clearLabs();
  const { rows, refused } = await measureAll(names);
  console.log(formatRows(rows));
  for (const reason of refused) console.log(`refused: ${reason}`);
  writeFileSync(jsonPath, `${JSON.stringify({ machine, rows, refused }, null, 2)}\n`);
  return refused.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = error.status;
}
