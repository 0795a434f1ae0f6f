// The connection table from empty to a million and back: cost of each new connection on the way,
// memory, and how long the kernel takes to let them all go.

import * as abi from '../src/kernel/abi.gen.ts';
import { Drive } from './drive.ts';
import { type Sweeps, sweepByHand, watchExpiry } from './expiry.ts';
import { growth, type Memory, readMemory } from './memory.ts';
import { median, type Row, toRow } from './rows.ts';

const million = 1_000_000;
const steps = 10;
const perStep = million / steps;
const clients = 1000;
const rounds = 3;
const bytesAim = 256;
const MiB = 1024 * 1024;
const nsPerMs = 1e6;

interface Fill {
  /** Nanoseconds for each new connection, of each tenth of the way. */
  ns: number[];
  /** An empty table's memory, whole; a full one's for each connection. */
  empty: Memory;
  each: Memory;
}

function fillTable(drive: Drive): number[] {
  const load = { kind: 'lwt', flows: million, clients, repeat: perStep } as const;
  const verdict = abi.verdict.VERDICT_NEW;
  const driver = drive.measure({ ...load, target: 'empty', verdict });
  return Array.from({ length: steps }, (_, step) => {
    const from = step * perStep;
    return drive.measure({ ...load, target: 'ours', verdict, from }) - driver;
  });
}

/** A director of its own each time: its memory is given back whole. */
async function withFullTable<T>(
  options: { timers: boolean },
  use: (drive: Drive) => Promise<T>,
): Promise<{ fill: Fill; result: T }> {
  const drive = new Drive();
  try {
    drive.setService({ scheduler: 'wlc', gateways: 4, persistence: 0 });
    const before = readMemory(drive.director.maps);
    drive.makeTable();
    if (options.timers) drive.startTimers();
    const empty = readMemory(drive.director.maps);
    const ns = fillTable(drive);
    const each = growth(empty, readMemory(drive.director.maps), million);
    return { fill: { ns, empty: growth(before, empty, 1), each }, result: await use(drive) };
  } finally {
    drive.close();
  }
}

function toSpeedRows(fills: Fill[]): Row[] {
  const whole = median(fills.map(({ ns }) => ns.reduce((a, b) => a + b) / steps));
  const [first, last] = [0, steps - 1].map((step) => median(fills.map(({ ns }) => ns[step] ?? 0)));
  return [
    toRow({ name: 'new connections until a million', value: 1e9 / whole, unit: '/s' }),
    toRow({
      name: 'the last 100,000 of a million',
      value: last ?? 0,
      unit: 'ns',
      ...{ baseline: first ?? 0, baselineName: 'the first 100,000' },
    }),
  ];
}

const accounts: [keyof Memory, string][] = [
  ['slab', 'Slab'],
  ['slab128', 'kmalloc-128'],
  ['maps', 'fdinfo'],
  ['taken', 'MemAvailable'],
];

function toMemoryRows(fills: Fill[]): Row[] {
  const each = (account: keyof Memory): number => median(fills.map((fill) => fill.each[account]));
  const empty = (account: keyof Memory): number => median(fills.map((fill) => fill.empty[account]));
  // Buckets are made with the table; what vmalloc grows by later is other people's.
  const buckets = empty('vmalloc') + empty('percpu') + empty('slab');
  return [
    toRow({
      name: 'memory of a connection, with its share of the empty table',
      value: each('slab') + each('percpu') + buckets / million,
      unit: 'bytes',
      aim: bytesAim,
    }),
    ...accounts.map(([account, where]) =>
      toRow({ name: `memory of a connection by ${where}`, value: each(account), unit: 'bytes' }),
    ),
    toRow({ name: 'memory of an empty table', value: buckets / MiB, unit: 'MiB' }),
    toRow({ name: 'memory of an empty table by fdinfo', value: empty('maps') / MiB, unit: 'MiB' }),
  ];
}

function toExpiryRows(seconds: number[], all: Sweeps[]): Row[] {
  const ms = (of: keyof Sweeps, reduce: (ns: number[]) => number): number =>
    median(all.map((sweeps) => reduce(sweeps[of]))) / nsPerMs;
  const longest = (of: keyof Sweeps): number => ms(of, (ns) => Math.max(...ns));
  const whole = (of: keyof Sweeps): number => ms(of, (ns) => ns.reduce((a, b) => a + b));
  const row = (name: string, value: number, unit = 'ms'): Row => toRow({ name, value, unit });
  return [
    row('expiry of a million by the timer, all due', median(seconds), 's'),
    row('longest sweep, all due', longest('due')),
    row('longest sweep, a million and nothing due', longest('idle')),
    row('all sweeps, a million and nothing due', whole('idle')),
    row('all sweeps, next to no entries', whole('empty')),
  ];
}

export async function measureTable(): Promise<Row[]> {
  const fills: Fill[] = [];
  const seconds: number[] = [];
  const sweeps: Sweeps[] = [];
  for (let round = 0; round < rounds; round++) {
    const watched = await withFullTable({ timers: true }, watchExpiry);
    const swept = await withFullTable({ timers: false }, sweepByHand);
    fills.push(watched.fill, swept.fill);
    seconds.push(watched.result);
    sweeps.push(swept.result);
  }
  return [...toSpeedRows(fills), ...toMemoryRows(fills), ...toExpiryRows(seconds, sweeps)];
}
