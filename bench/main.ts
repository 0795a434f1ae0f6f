// node bench/main.ts [programs|schedulers|path|table|failover …]: measures, prints a table and writes build/bench.json.
// What each figure means and how it is taken: docs/bench.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { requireRoot } from '../src/kernel/director.ts';
import { UserError } from '../src/util/error.ts';
import { run } from '../src/util/run.ts';
import { measureFailover } from './failover/failover.ts';
import { formatTables } from './markdown.ts';
import { measureClients } from './path/clients.ts';
import { restoreConntrack } from './path/conntrack.ts';
import { clearLabs } from './path/labs.ts';
import { measurePath } from './path/path.ts';
import { measureScale } from './path/scale.ts';
import { measurePrograms } from './programs.ts';
import { formatRows, Refused, type Row } from './rows.ts';
import { measureSchedulers } from './schedulers.ts';
import { measureTable } from './table.ts';

const jsonPath = fileURLToPath(new URL('../build/bench.json', import.meta.url));

/** What the command line may say of the whole path's parts, and of the failover part. */
const options = {
  rounds: { type: 'string', default: '5' },
  runs: { type: 'string', default: '30' },
  'baseline-runs': { type: 'string', default: '3' },
  'calm-minutes': { type: 'string', default: '10' },
  fault: { type: 'string', multiple: true },
} as const;

type Values = ReturnType<typeof readWords>['values'];

interface Part {
  measure(values: Values, refuse: (reason: string) => void): Row[] | Promise<Row[]>;
  /** On one CPU: a packet's path does not wander, and its caches stay. */
  oneCpu: boolean;
}

const parts: Record<string, Part> = {
  programs: { measure: measurePrograms, oneCpu: true },
  schedulers: { measure: measureSchedulers, oneCpu: true },
  path: { measure: ({ rounds }) => measurePath(Number(rounds)), oneCpu: true },
  scale: {
    measure: ({ rounds }, refuse) => measureScale(Number(rounds), refuse),
    oneCpu: true,
  },
  clients: { measure: ({ rounds }) => measureClients(Number(rounds)), oneCpu: false },
  table: { measure: measureTable, oneCpu: true },
  failover: {
    measure: (values, refuse) => {
      const { runs, 'baseline-runs': baselineRuns, 'calm-minutes': calmMinutes, fault } = values;
      const numbers = {
        runs: Number(runs),
        baselineRuns: Number(baselineRuns),
        calmMinutes: Number(calmMinutes),
      };
      return measureFailover({ ...numbers, faults: fault ?? [] }, refuse);
    },
    oneCpu: false,
  },
};

function readWords(words: string[]) {
  try {
    return parseArgs({ args: words, options, allowPositionals: true });
  } catch (error) {
    throw new UserError(`bench: ${(error as Error).message}`);
  }
}

/** As `taskset` says it: `0-3`. */
function readCpus(): string {
  return /list: (.*)$/m.exec(run(['taskset', '-cp', String(process.pid)]))?.[1] ?? '0';
}

function bindTo(cpus: string): void {
  run(['taskset', '-acp', cpus, String(process.pid)]);
}

/** It has least to do. */
const lastOf = (cpus: string): string => /(\d+)$/.exec(cpus)?.[1] ?? '0';

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
      clearLabs().finally(() => {
        restoreConntrack();
        process.exit(1);
      });
    });
}

/** A part whose figures were refused has none; the others stand. */
async function measureAll(
  names: string[],
  values: Values,
): Promise<{ rows: Row[]; refused: string[] }> {
  const rows: Row[] = [];
  const refused: string[] = [];
  const cpus = readCpus();
  for (const name of names) {
    const part = parts[name]!;
    bindTo(part.oneCpu ? lastOf(cpus) : cpus);
    try {
      rows.push(...(await part.measure(values, (reason) => refused.push(reason))));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push(`${name}: ${error.message}`);
    }
  }
  return { rows, refused };
}

async function main(words: string[]): Promise<number> {
  requireRoot();
  const { values, positionals } = readWords(words);
  const names = positionals.length > 0 ? positionals : Object.keys(parts);
  for (const name of names)
    if (!(name in parts))
      throw new UserError(`bench: no part "${name}", but ${Object.keys(parts).join(', ')}`);
  const machine = describeMachine();
  clearOnSignals();
  await clearLabs();
  const { rows, refused } = await measureAll(names, values);
  console.log(formatRows(rows));
  console.log(`\n${formatTables(rows)}`);
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
