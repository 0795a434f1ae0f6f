// What a packet costs among a million connections, many gateways and many rules, and what memory those
// connections take.

import type { Lab } from '../../src/lab/topology.ts';
import { growth, type Memory, readMemory } from '../memory.ts';
import { Refused, type Row, toRow } from '../rows.ts';
import { clearLabs } from './labs.ts';
import { formatConfig, type Hop } from './ours.ts';
import { makeSites, manyFlows, measureRounds, net, onPath, toRows, warmUp } from './path.ts';
import { ours, type Peer, peers } from './peers.ts';
import { makeBare, makeSite, type Site } from './site.ts';
import { type Walk, ways } from './walk.ts';

const fewFlows = 1000;
const gatewayCounts = [2, 16, 64, 253];
const ruleCounts = [10, 1000, 10_000];
const gatewaysAim = 1.1;
/** Eight directors run side by side, whose timers look through the whole of their tables all the time. */
const seriesTable = 16_384;

/** `refuse`: is told what could not be measured; the rest stands. */
export const measureScale = (rounds: number, refuse: (reason: string) => void): Promise<Row[]> =>
  onPath(rounds, async (walk) => {
    const rows: Row[] = [];
    for (const measure of [measureMillion, measureGateways, measureRules]) {
      try {
        rows.push(...(await measure(walk)));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refuse(`scale: ${error.message}`);
      }
      await clearLabs();
    }
    return rows;
  });

const measureGateways = (walk: Walk): Promise<Row[]> => measureSeries(walk, gatewaySeries);
const measureRules = (walk: Walk): Promise<Row[]> => measureSeries(walk, ruleSeries);

async function measureMillion(walk: Walk): Promise<Row[]> {
  const compared = [peers.forwarding, peers.snat, peers.ours, peers.fast];
  const sites = await makeSites(walk, compared);
  const memory = new Map<string, Memory>();
  for (const site of sites) {
    const before = readMemory(site.counted?.maps);
    await warmUp(walk, [site], manyFlows);
    memory.set(site.name, growth(before, readMemory(site.counted?.maps), manyFlows));
  }
  const all = await measureRounds(walk, sites, manyFlows);
  return [...toRows(all, compared, manyFlows), ...toMemoryRows(memory)];
}

/** Of all who remember connections. */
function toMemoryRows(memory: Map<string, Memory>): Row[] {
  const each = ({ title }: Peer): number => {
    const { slab, percpu, vmalloc } = memory.get(title)!;
    return slab + percpu + vmalloc;
  };
  const table = "A connection's memory (to conntrack and SNAT)";
  const rows = [peers.snat, peers.ours, peers.fast].map((peer) =>
    toRow({
      ...{ name: `memory of a connection: ${peer.title}`, value: each(peer), unit: 'bytes' },
      ...{ baseline: each(peers.snat), baselineName: peers.snat.title },
      cell: { table, row: peer.title, column: 'all of the kernel' },
    }),
  );
  const { maps, fast } = memory.get(peers.fast.title)!;
  const own = (value: number, what: string): Row =>
    toRow({
      ...{ name: `memory of a connection: ${what} by fdinfo`, value, unit: 'bytes' },
      cell: { table, row: peers.fast.title, column: `${what} by fdinfo` },
    });
  return [...rows, own(maps, 'our table'), own(fast, 'fast path, both ways')];
}

/** Ours, with more and more of something. */
interface Series {
  title: string;
  name: string;
  unit: string;
  counts: number[];
  hops(count: number): Hop[];
  rules(count: number): number;
  /** Of the last one, to the first. */
  aim?: number;
}

/** All on one link: its network has room for so many. The director's own address is 192.0.2.2. */
const manyHops = (count: number): Hop[] =>
  Array.from({ length: count }, (_, index) => ({
    link: 'eth1',
    address: `192.0.2.${index === 0 ? 1 : index + 2}`,
  }));

const gatewaySeries: Series = {
  title: 'A packet among many gateways (to the fewest)',
  ...{ name: 'gateways', unit: 'gateways', counts: gatewayCounts },
  hops: manyHops,
  rules: () => 1,
  aim: gatewaysAim,
};

const ruleSeries: Series = {
  title: "An established connection's packet among many rules (to the fewest)",
  ...{ name: 'rules', unit: 'rules', counts: ruleCounts },
  hops: () => manyHops(2),
  rules: (count) => count,
};

interface Variant {
  fast: boolean;
  count: number;
}

async function measureSeries(walk: Walk, series: Series): Promise<Row[]> {
  const variants = [false, true].flatMap((fast) => series.counts.map((count) => ({ fast, count })));
  const sites: Site[] = [];
  for (const { fast, count } of variants) {
    const hops = series.hops(count);
    const config = (_: Lab, fastpath: boolean): string =>
      formatConfig({ hops, fastpath, rules: series.rules(count), connections: seriesTable });
    const peer = ours(fast, `${series.name}-${count}-${fast ? 'fast' : 'ours'}`, 1, config);
    const more = hops.slice(1).map(({ address }) => address);
    sites.push(await makeSite(peer, { ends: walk.ends, hops: more }));
  }
  const all = [makeBare(walk.ends, sites[0]!), ...sites];
  await warmUp(walk, all, fewFlows);
  const rounds = await measureRounds(walk, all, fewFlows);
  const times = (variant: Variant, way: 'out' | 'back'): number =>
    net(rounds, variants.indexOf(variant) + 1, way);
  return toSeriesRows(series, variants, times);
}

function toSeriesRows(
  { title, unit, counts, aim }: Series,
  variants: Variant[],
  times: (variant: Variant, way: 'out' | 'back') => number,
): Row[] {
  return variants.flatMap((variant) => {
    const { fast, count } = variant;
    const fewest = variants.find((one) => one.fast === fast && one.count === counts[0])!;
    const who = (fast ? peers.fast : peers.ours).title;
    const column = `${count.toLocaleString('en-US')} ${unit}`;
    return ways.map((way) =>
      toRow({
        name: `whole path, ${column}: ${who}, ${way}`,
        ...{ value: times(variant, way), unit: 'ns' },
        ...{ baseline: times(fewest, way), baselineName: `${counts[0]} ${unit}` },
        ...(aim && count === counts.at(-1) ? { aim, aimOf: 'ratio' } : {}),
        cell: { table: title, row: `${who}: ${way}`, column },
      }),
    );
  });
}
