// What real clients get by each peer: new connections a second, how long one takes, and one download's speed.

import { setImmediate } from 'node:timers/promises';
import { quantile } from '../failover/figures.ts';
import { type Figure, insist, median, type Row, toRow } from '../rows.ts';
import { clearLabs } from './labs.ts';
import { type Peer, peers } from './peers.ts';
import {
  connectionsPerSecond,
  latencies,
  makeReal,
  type Real,
  setOffloads,
  throughput,
  withoutGateway,
} from './real.ts';

const connections = 5000;
const bytes = { long: 500_000_000, short: 200_000_000 };
const compared: Peer[] = [peers.snat, peers.iptables, peers.nft, peers.ours, peers.fast];
const own = [peers.ours.title, peers.fast.title];
const others = [peers.iptables.title, peers.nft.title];
/** New connections of ours: to the plain gateway, and to marks and rules. */
const aims = { snat: 0.9, marks: 1 };

/** What one round found of one lab. */
interface Found {
  perSecond: number;
  latencies: number[];
  /** Bits a second with packets longer than the MTU, and without. */
  long: number;
  short: number;
}

/** One figure of all labs after the other: what else the machine does is the same for all then. */
async function measureRound(sites: Real[]): Promise<Found[]> {
  const each = async <T>(measure: (real: Real) => T | Promise<T>): Promise<T[]> => {
    const values: T[] = [];
    for (const real of sites) {
      values.push(await measure(real));
      // Signals are heard here.
      await setImmediate();
    }
    return values;
  };
  const perSecond = await each((real) => insist(() => connectionsPerSecond(real, connections)));
  const waits = await each(latencies);
  const long = await each((real) => insist(() => throughput(real, bytes.long)));
  await each((real) => setOffloads(real, false));
  const short = await each((real) => insist(() => throughput(real, bytes.short)));
  await each((real) => setOffloads(real, true));
  return sites.map((_, site) => ({
    ...{ perSecond: perSecond[site]!, latencies: waits[site]! },
    ...{ long: long[site]!, short: short[site]! },
  }));
}

export async function measureClients(rounds: number): Promise<Row[]> {
  try {
    const sites: Real[] = [];
    for (const peer of compared) sites.push(await makeReal(peer));
    const all = [withoutGateway(sites[0]!), ...sites];
    const found: Found[][] = all.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const ofRound = await measureRound(all);
      for (const [site, one] of ofRound.entries()) found[site]!.push(one);
      const told = all.map(
        ({ name }, site) => `${name}: ${Math.round(ofRound[site]!.perSecond)}/s`,
      );
      console.error(`round ${round + 1}, new connections: ${told.join('; ')}`);
    }
    return toRows(new Map(all.map(({ name }, site) => [name, found[site]!])));
  } finally {
    await clearLabs();
  }
}

interface Column {
  title: string;
  unit: string;
  of(found: Found[]): number;
  aims?: boolean;
}

const ofLatencies = (share: number) => (found: Found[]) =>
  quantile(
    found.flatMap((one) => one.latencies),
    share,
  )!;

const gigabits = (of: 'long' | 'short') => (found: Found[]) =>
  median(found.map((one) => one[of])) / 1e9;

const columns: Column[] = [
  {
    title: 'new connections',
    unit: '/s',
    of: (found) => median(found.map(({ perSecond }) => perSecond)),
    aims: true,
  },
  { title: 'a new connection, p50', unit: 'ms', of: ofLatencies(0.5) },
  { title: 'a new connection, p99', unit: 'ms', of: ofLatencies(0.99) },
  { title: 'a download, GSO', unit: 'Gbit/s', of: gigabits('long') },
  { title: 'a download, no GSO', unit: 'Gbit/s', of: gigabits('short') },
];

function toRows(found: Map<string, Found[]>): Row[] {
  return columns.flatMap((column) => {
    const value = (name: string): number => column.of(found.get(name)!);
    const row = (name: string, to: string, more: Partial<Figure>): Row =>
      toRow({
        name: `clients, ${column.title}: ${name}`,
        ...{ value: value(name), unit: column.unit },
        ...{ baseline: value(to), baselineName: to, ...more },
      });
    const aim = (name: string, least: number): Partial<Figure> =>
      column.aims && own.includes(name) ? { aim: least, aimOf: 'ratio', atLeast: true } : {};
    const table = 'Real clients (to conntrack and SNAT)';
    const toSnat = [...found.keys()].map((name) => {
      const cell = { table, row: name, column: column.title };
      return row(name, peers.snat.title, { ...aim(name, aims.snat), cell });
    });
    if (!column.aims) return toSnat;
    const toMarks = own.flatMap((name) => others.map((to) => row(name, to, aim(name, aims.marks))));
    return [...toSnat, ...toMarks];
  });
}
