// Cost of a packet on its whole path: from a client through a gateway to an ISP, 64-byte UDP.
// The kernel's own gateway and ours, one after the other, again and again.

import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as abi from '../src/kernel/abi.gen.ts';
import { DirectorObject } from '../src/kernel/object.ts';
import { inHost } from '../src/lab/lab.ts';
import { run } from '../src/util/run.ts';
import { insist, median, Refused, type Row, toRow } from './rows.ts';
import { pathObject, type Sent } from './send.ts';
import { clearLabs, makeBare, makeOurs, makePlain, type Site } from './site.ts';

const sendProgram = fileURLToPath(new URL('send.ts', import.meta.url));
const rounds = 7;
const packets = 200_000;
const manyFlows = 100_000;
const aim = 1.15;
/** Share of the packets that must arrive, and of the time that may pass unseen in ksoftirqd. */
const leastArrived = 0.999;
const mostAside = 0.02;

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

interface Round {
  bare: number;
  plain: number;
  ours: number;
}

async function measureFlows(flows: number, once: (flows: number) => Round): Promise<Row[]> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    all.push(once(flows));
    // Signals are heard here.
    await setImmediate();
  }
  const bare = median(all.map((round) => round.bare));
  const plain = median(all.map((round) => round.plain - round.bare));
  const ours = median(all.map((round) => round.ours - round.bare));
  const name = `whole path, ${flows.toLocaleString('en-US')} flows`;
  const compared = { baseline: plain, baselineName: 'plain gateway with SNAT' };
  return [
    toRow({ name: `${name}: sender and sink alone (subtracted)`, value: bare, unit: 'ns' }),
    toRow({ name, value: ours, unit: 'ns', ...compared, aim, aimOf: 'ratio' }),
  ];
}

export async function measurePath(): Promise<Row[]> {
  const bench = new PathBench();
  try {
    const plain = await makePlain(bench.sinks);
    const ours = await makeOurs(bench.sinks);
    const bare = makeBare(bench.sinks, plain);
    for (const site of [bare, plain, ours]) bench.warm(site);
    const once = (flows: number): Round => ({
      bare: insist(() => bench.measure(bare, flows)),
      plain: insist(() => bench.measure(plain, flows)),
      ours: insist(() => bench.measure(ours, flows)),
    });
    return [...(await measureFlows(1000, once)), ...(await measureFlows(manyFlows, once))];
  } finally {
    bench.close();
    await clearLabs();
  }
}
