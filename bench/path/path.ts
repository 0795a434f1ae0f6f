// Cost of a packet on its whole path, of each peer in turn, again and again.

import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { Cell, Figure, Row } from '../rows.ts';
import { insist, median, toRow } from '../rows.ts';
import { enlargeConntrack, restoreConntrack } from './conntrack.ts';
import { clearLabs } from './labs.ts';
import { floorPeers, type Peer, peers } from './peers.ts';
import { makeBare, makeSite, type Site } from './site.ts';
import { type Times, Walk, type Way, ways } from './walk.ts';

const packets = 200_000;
const flowCounts = [1000, 100_000];
/** Of ours, off and on, to the plain gateway with SNAT. */
const aims = { off: 1.15, on: 0.33, onOfMany: 0.45 };
export const manyFlows = 1_000_000;
/** Conntrack calls UDP assured that was answered for longer than 2 s. */
const assuredMs = 2100;

/** What sites cost in each round: rounds[round][site]. */
export type Rounds = Times[][];

/** Makes the connections: conntrack calls them assured then, and who learns has learnt. */
export async function warmUp(walk: Walk, sites: Site[], flows: number): Promise<void> {
  const greetAll = async (): Promise<void> => {
    for (const site of sites) {
      insist(() => walk.greet(site, flows));
      // Signals are heard here.
      await setImmediate();
    }
  };
  await greetAll();
  await delay(assuredMs);
  await greetAll();
}

export async function measureRounds(walk: Walk, sites: Site[], flows: number): Promise<Rounds> {
  const all: Rounds = [];
  for (let round = 0; round < walk.rounds; round++) {
    const times: Times[] = [];
    for (const site of sites) {
      times.push(walk.measure(site, flows, packets));
      // Signals are heard here.
      await setImmediate();
    }
    all.push(times);
    // Some minutes pass: who waits wants to know.
    const told = times.map(({ out, back }, site) => `${sites[site]!.name}: ${out}, ${back}`);
    console.error(`round ${round + 1}, ${formatFlows(flows)}: ${told.join('; ')}`);
  }
  return all;
}

/** Without the sender and its veth pair, which is the first site. */
export const net = (all: Rounds, site: number, way: Way): number =>
  median(all.map((round) => round[site]![way] - round[0]![way]));

const formatFlows = (flows: number): string => `${flows.toLocaleString('en-US')} flows`;

const aimOf = (peer: Peer, flows: number): number | undefined => {
  if (peer.name === peers.fast.name) return flows < manyFlows ? aims.on : aims.onOfMany;
  return peer.name === peers.ours.name ? aims.off : undefined;
};

/** sites: a bare one, and then those of the peers in their order. */
export function toRows(all: Rounds, compared: Peer[], flows: number): Row[] {
  const title = 'A packet on its whole path (to conntrack and SNAT)';
  const baseline = compared.indexOf(peers.snat) + 1;
  return ways.flatMap((way) => {
    const column = `${formatFlows(flows)}: ${way}`;
    const row = (name: string, value: number, figure: Partial<Figure> & { cell: Cell }): Row =>
      toRow({ name: `whole path, ${column}: ${name}`, value, unit: 'ns', ...figure });
    const bare = median(all.map((round) => round[0]![way]));
    const cell = { table: title, row: 'sender and sink (subtracted)', column };
    return [
      row('sender and sink (subtracted)', bare, { cell }),
      ...compared.map((peer, index) => {
        const aim = aimOf(peer, flows);
        return row(peer.title, net(all, index + 1, way), {
          cell: { table: title, row: peer.title, column },
          baseline: net(all, baseline, way),
          baselineName: peers.snat.title,
          ...(aim === undefined ? {} : { aim, aimOf: 'ratio' as const }),
        });
      }),
    ];
  });
}

/** Each peer in a lab of its own, and before them nothing but the sender. */
export async function makeSites(walk: Walk, compared: Peer[]): Promise<Site[]> {
  const sites: Site[] = [];
  for (const peer of compared) sites.push(await makeSite(peer, { ends: walk.ends }));
  return [makeBare(walk.ends, sites[0]!), ...sites];
}

export async function measurePeers(
  walk: Walk,
  compared: Peer[],
  flowCounts: number[],
): Promise<Row[]> {
  const sites = await makeSites(walk, compared);
  await warmUp(walk, sites, Math.max(...flowCounts));
  const rows: Row[] = [];
  for (const flows of flowCounts)
    rows.push(...toRows(await measureRounds(walk, sites, flows), compared, flows));
  return rows;
}

/** What `measure` needs of the machine, given back whatever happens. */
export async function onPath<T>(rounds: number, measure: (walk: Walk) => Promise<T>): Promise<T> {
  const walk = new Walk(rounds);
  enlargeConntrack();
  try {
    return await measure(walk);
  } finally {
    walk.close();
    await clearLabs();
    restoreConntrack();
  }
}

export const measurePath = (rounds: number): Promise<Row[]> =>
  onPath(rounds, (walk) =>
    measurePeers(walk, [...Object.values(peers), ...floorPeers(walk)], flowCounts),
  );
