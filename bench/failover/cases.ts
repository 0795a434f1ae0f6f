// The faults that are measured, what is asked meanwhile, and what `lvsj run` is told to watch.

import type { FaultSpec } from '../../src/lab/fault.ts';
import { internet } from '../../src/lab/topology.ts';

export interface Case {
  /** As the command line names it. */
  name: string;
  title: string;
  fault: FaultSpec;
  /** What new connections are made; none: nothing happens in the lab but probes. */
  ask: 'http' | 'dns' | 'none';
  /** Of a gateway of ours. */
  monitor: string;
  /** Until new connections succeed, of the slowest of a hundred. */
  aimMs: number;
  /** Packets of connections that stand are lost: these, too, have aims. */
  cuts: boolean;
}

const intervalMs = 500;
const fall = 3;

/** Of every gateway; no hold, for the next run shall begin soon: it delays only the return. */
const monitor = (probes: string[] = [], more = `interval: ${intervalMs}ms`): string => {
  const pings = internet.ipv4.map((address) => `{ ping: ${address} }`);
  return `{ probes: [${[...pings, ...probes].join(', ')}], rise: 2, fall: ${fall}, hold: 0ms, ${more} }`;
};

/** Must have all probes answered: the third is another matter than the two pings. */
const all = `interval: ${intervalMs}ms, quorum: 3`;
const plain = monitor();
/** Three of ten lost, twice; rare enough with 2 % loss each way. */
const lossy = monitor([], 'interval: 250ms, window: 10, loss: { down: 30, up: 15 }');

export const cases: Case[] = [
  {
    name: 'carrier',
    title: 'carrier lost',
    fault: { kind: 'carrier' },
    ask: 'http',
    monitor: plain,
    aimMs: 50,
    cuts: true,
  },
  {
    name: 'router',
    title: 'ISP router dead, carrier stays',
    fault: { kind: 'router' },
    ask: 'http',
    monitor: plain,
    aimMs: 700,
    cuts: true,
  },
  {
    name: 'blackhole',
    title: 'black hole two hops away, busy link',
    fault: { kind: 'blackhole' },
    ask: 'http',
    monitor: plain,
    aimMs: 700,
    cuts: true,
  },
  {
    name: 'idle',
    title: 'black hole two hops away, idle link',
    fault: { kind: 'blackhole' },
    ask: 'none',
    monitor: plain,
    aimMs: fall * intervalMs + 300,
    cuts: false,
  },
  {
    name: 'loss',
    title: '30 % loss each way',
    fault: { kind: 'loss', percent: 30 },
    ask: 'http',
    monitor: lossy,
    aimMs: 5000,
    cuts: false,
  },
  {
    name: 'dns',
    title: 'only DNS dead',
    fault: { kind: 'dns' },
    ask: 'dns',
    monitor: monitor([`{ dns: ${internet.ipv4[1]} }`], all),
    aimMs: 2 * intervalMs,
    cuts: false,
  },
  {
    name: 'portal',
    title: 'captive portal',
    fault: { kind: 'portal' },
    ask: 'http',
    monitor: monitor([`{ http: "http://${internet.ipv4[0]}/" }`], all),
    aimMs: 2 * intervalMs,
    cuts: false,
  },
];

/** Told of loss, too. */
export const calmMonitor = lossy;
