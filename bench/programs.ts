// Costs of the eBPF programs alone, by BPF_PROG_TEST_RUN: a known connection, and a new one.

import * as abi from '../src/kernel/abi.gen.ts';
import { Drive, type Kind, type Load } from './drive.ts';
import { insist, median, type Row, toRow } from './rows.ts';

const { verdict } = abi;
const rounds = 9;
const knownRepeat = 500_000;
const newRepeat = 100_000;
const burst = 1000;
/** Of a LAN; flows belong to them in turn. */
const clients = 250;

interface Costs {
  /** Net of the driver and of an empty program. */
  ours: number;
  lookup: number;
  empty: number;
}

/** One round: an empty program, one look-up and ours, one after the other. */
function measureOnce(drive: Drive, load: Omit<Load, 'target'>): Costs {
  const empty = drive.measure({ ...load, target: 'empty' });
  const lookup = drive.measure({ ...load, target: 'lookup' }) - empty;
  const ours = drive.measure({ ...load, target: 'ours' }) - empty;
  return { empty, lookup, ours };
}

function measureRounds(measure: () => Costs): Costs {
  const all = Array.from({ length: rounds }, () => insist(measure));
  return {
    ours: median(all.map(({ ours }) => ours)),
    lookup: median(all.map(({ lookup }) => lookup)),
    empty: median(all.map(({ empty }) => empty)),
  };
}

function row(name: string, costs: Costs, aim?: number): Row {
  const isNew = name.startsWith('new');
  return toRow({
    name,
    value: costs.ours,
    unit: 'ns',
    baseline: costs.lookup,
    baselineName: isNew ? 'one look-up and insert' : 'one look-up',
    ...(aim === undefined ? {} : { aim }),
  });
}

/** Packets of connections that are in the table. */
function measureKnown(drive: Drive, kind: Kind, flows: number): Costs {
  drive.setService({ scheduler: 'wlc', gateways: 4, persistence: 0 });
  drive.clearTable();
  const load = { kind, flows, clients, verdict: verdict.VERDICT_KNOWN };
  const make = { ...load, kind: 'lwt', repeat: flows, verdict: verdict.VERDICT_NEW } as const;
  drive.measure({ ...make, target: 'ours' });
  drive.measure({ ...load, repeat: flows, target: 'lookup' });
  return measureRounds(() => measureOnce(drive, { ...load, repeat: knownRepeat }));
}

/** Connections of clients that no gateway has yet: a template and a connection are made. */
function measureNew(drive: Drive, gateways: number): Costs {
  drive.setService({ scheduler: 'wlc', gateways, persistence: 300 });
  return measureRounds(() => {
    drive.clearTable();
    const flows = { flows: newRepeat, clients: newRepeat, repeat: newRepeat };
    return measureOnce(drive, { kind: 'lwt', ...flows, verdict: verdict.VERDICT_NEW });
  });
}

/** The same flows again and again, each burst so small that all that it touches stays in the caches. */
function measureWarm(drive: Drive, gateways: number): number {
  drive.setService({ scheduler: 'wlc', gateways, persistence: 300 });
  drive.clearTable();
  const flows = { flows: burst, clients: burst, repeat: burst };
  const load = { kind: 'lwt', ...flows, verdict: verdict.VERDICT_NEW } as const;
  const once = (): number => {
    const empty = drive.measure({ ...load, target: 'empty' });
    drive.forget({ ...load, target: 'ours' });
    return drive.measure({ ...load, target: 'ours' }) - empty;
  };
  return median(Array.from({ length: newRepeat / burst }, () => insist(once)));
}

/** More connections of clients that have a gateway. */
function measureTemplate(drive: Drive): Costs {
  drive.setService({ scheduler: 'wlc', gateways: 4, persistence: 300 });
  return measureRounds(() => {
    drive.clearTable();
    const load = { kind: 'lwt', flows: newRepeat + clients, clients } as const;
    // The first connection of each client makes its template.
    const first = { ...load, repeat: clients, verdict: verdict.VERDICT_NEW, from: 0 };
    drive.measure({ ...first, target: 'ours' });
    const rest = { ...load, repeat: newRepeat, verdict: verdict.VERDICT_TEMPLATE, from: clients };
    return measureOnce(drive, rest);
  });
}

function measureKind(drive: Drive, kind: Kind, place: string): Row[] {
  const one = measureKnown(drive, kind, 1);
  return [
    toRow({ name: `an empty program at ${place}, with its driver`, value: one.empty, unit: 'ns' }),
    row(`known connection at ${place}`, one, 120),
    row(`known connection at ${place}, 1,000 in turn`, measureKnown(drive, kind, 1000)),
    row(`known connection at ${place}, 100,000 in turn`, measureKnown(drive, kind, 100_000)),
  ];
}

function measureNewRows(drive: Drive, gateways: number, aim: number): Row[] {
  const name = `new connection, new client, wlc over ${gateways}`;
  const warm = measureWarm(drive, gateways);
  return [
    row(name, measureNew(drive, gateways), aim),
    toRow({ name: `${name}, caches warm`, value: warm, unit: 'ns', aim }),
  ];
}

export function measurePrograms(): Row[] {
  const drive = new Drive();
  try {
    drive.checkTwin();
    drive.makeTable();
    return [
      ...measureKind(drive, 'tc', 'tc'),
      ...measureKind(drive, 'lwt', 'the director'),
      row('new connection, known client', measureTemplate(drive)),
      ...measureNewRows(drive, 4, 1000),
      ...measureNewRows(drive, 64, 2500),
    ];
  } finally {
    drive.close();
  }
}
