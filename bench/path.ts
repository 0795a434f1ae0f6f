// Cost of a packet on its whole path: from a client through a gateway to an ISP, 64-byte UDP.
// Each kind of gateway one after the other, again and again.

import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as abi from '../src/kernel/abi.gen.ts';
import { DirectorObject } from '../src/kernel/object.ts';
import { inHost } from '../src/lab/lab.ts';
import { run } from '../src/util/run.ts';
import { insist, median, Refused, type Row, toRow } from './rows.ts';
import { pathObject, type Sent } from './send.ts';
import { clearLabs, makeBare, makeOurs, makePlain, makeRuled, type Site } from './site.ts';

const sendProgram = fileURLToPath(new URL('send.ts', import.meta.url));
const rounds = 7;
const packets = 200_000;
const manyFlows = 100_000;
const aim = 1.15;
/** Share of the packets that must arrive, and of the time that may pass unseen in ksoftirqd. */
const leastArrived = 0.999;
const mostAside = 0.02;
/** Neighbours' traffic wakes ksoftirqd too: on a busy machine every second round may be spoiled. */
const tries = 15;

/** struct sink of path.bpf.c. */
interface Arrivals {
  arrived: number;
  answered: number;
}

class PathBench {
  readonly #object = new DirectorObject(pathObject);
  readonly #sink = this.#object.map('sink');
  readonly sinks = {
    isp: this.#object.program('sink_isp'),
    client: this.#object.program('sink_client'),
  };

  /** Counts since the last call, and from now on ISPs answer or not. */
  #restart(answers: boolean): Arrivals {
    const key = Buffer.alloc(4);
    const value = this.#sink.get(key) ?? Buffer.alloc(24);
    const next = Buffer.alloc(24);
    next.writeBigUInt64LE(answers ? 1n : 0n, 16);
    this.#sink.set(key, next);
    const [arrived, answered] = [0, 8].map((at) => Number(value.readBigUInt64LE(at)));
    return { arrived: arrived ?? 0, answered: answered ?? 0 };
  }

  #send(site: Site, flows: number, count: number): Sent {
    const words = [sendProgram, site.link, site.frame.toString('hex'), String(flows)];
    const argv = [process.execPath, ...words, String(count)];
    const sent = JSON.parse(run(inHost(site.lab, 'lan', argv))) as Sent;
    if (sent.sent !== count || sent.failed > 0)
      throw new Refused(`${site.name}: sent ${sent.sent} of ${count}, ${sent.failed} failed`);
    return sent;
  }

  /** Makes the flows' connections: each has seen an answer, and one packet more. */
  warm(site: Site): void {
    this.#restart(true);
    this.#send(site, manyFlows, manyFlows);
    const { arrived, answered } = this.#restart(false);
    // What answers by the bare link ends in nothing.
    if (arrived !== manyFlows || (answered !== manyFlows && site.link === 'eth0'))
      throw new Refused(
        `${site.name}: of ${manyFlows} first packets ${arrived} arrived and ${answered} answers ` +
          'came back; is net.netfilter.nf_conntrack_max large enough?',
      );
    this.#send(site, manyFlows, manyFlows);
  }

  /** Nanoseconds a packet; refused unless they arrived, by the way that is measured. */
  measure(site: Site, flows: number): number {
    this.#restart(false);
    const before = knownOf(site);
    const { nsPerPacket, asideNs } = this.#send(site, flows, packets);
    const { arrived } = this.#restart(false);
    if (arrived < packets * leastArrived || arrived > packets)
      throw new Refused(`${site.name}: sent ${packets}, arrived ${arrived}`);
    if (site.director && knownOf(site) - before < packets * leastArrived)
      throw new Refused(`${site.name}: only ${knownOf(site) - before} were known connections`);
    if (asideNs > nsPerPacket * packets * mostAside)
      throw new Refused(`${site.name}: ksoftirqd worked ${asideNs / 1e6} ms on the side`);
    return nsPerPacket;
  }

  close(): void {
    this.#object.close();
  }
}

/** Packets whose connection the director knew when they came in. */
function knownOf({ director }: Site): number {
  const counts = director?.verdicts()[abi.hook.HOOK_INGRESS];
  return Number(counts?.[abi.verdict.VERDICT_KNOWN] ?? 0n);
}

/** In the order in which they are measured, again and again. */
interface Sites {
  bare: Site;
  plain: Site;
  ruled: Site;
  ours: Site;
}

type Round = Record<keyof Sites, number>;

function measureRound(bench: PathBench, sites: Sites, flows: number): Round {
  const of = (site: Site): number => insist(() => bench.measure(site, flows), tries);
  const { bare, plain, ruled, ours } = sites;
  return { bare: of(bare), plain: of(plain), ruled: of(ruled), ours: of(ours) };
}

async function measureFlows(bench: PathBench, sites: Sites, flows: number): Promise<Row[]> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    all.push(measureRound(bench, sites, flows));
    // Signals are heard here.
    await setImmediate();
  }
  const net = (of: keyof Sites): number => median(all.map((round) => round[of] - round.bare));
  const name = `whole path, ${flows.toLocaleString('en-US')} flows`;
  const bare = median(all.map((round) => round.bare));
  const compared = { unit: 'ns', baseline: net('plain'), baselineName: 'plain gateway with SNAT' };
  return [
    toRow({ name: `${name}: sender and sink (subtracted)`, value: bare, unit: 'ns' }),
    toRow({ name, value: net('ours'), ...compared, aim, aimOf: 'ratio' }),
    toRow({ name: `${name}: plain with a policy rule`, value: net('ruled'), ...compared }),
  ];
}

async function makeSites({ sinks }: PathBench): Promise<Sites> {
  const plain = await makePlain(sinks);
  const ruled = await makeRuled(sinks);
  const ours = await makeOurs(sinks);
  return { bare: makeBare(sinks, plain), plain, ruled, ours };
}

export async function measurePath(): Promise<Row[]> {
  const bench = new PathBench();
  try {
    const sites = await makeSites(bench);
    for (const site of Object.values(sites)) insist(() => bench.warm(site));
    return [
      ...(await measureFlows(bench, sites, 1000)),
      ...(await measureFlows(bench, sites, manyFlows)),
    ];
  } finally {
    bench.close();
    await clearLabs();
  }
}
