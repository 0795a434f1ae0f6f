// Sends packets along a site's path, 64-byte UDP, in both directions, and takes the time if they arrived
// by the way that is meant.

import { fileURLToPath } from 'node:url';
import type { BpfMap } from '../../src/kernel/map.ts';
import { u32Key } from '../../src/kernel/maps.ts';
import { DirectorObject } from '../../src/kernel/object.ts';
import type { Program } from '../../src/kernel/program.ts';
import { run } from '../../src/util/run.ts';
import { insist, Refused } from '../rows.ts';
import type { Counted } from './peers.ts';
import { type Sent, sendArgv } from './send.ts';
import type { Site } from './site.ts';

const pathObject = fileURLToPath(new URL('../../build/bench/path.o', import.meta.url));
/** Share of the packets that must arrive, and of the time that may pass unseen in ksoftirqd. */
const leastArrived = 0.999;
const mostAside = 0.02;
/** Among a million connections: timers look through them there. */
const mostAsideOfMany = 0.05;
const many = 1_000_000;
/** Neighbours' traffic wakes ksoftirqd too: on a busy machine every second round may be spoiled. */
const tries = 15;

/** LAN to uplink, and back. */
export const ways = ['out', 'back'] as const;
export type Way = (typeof ways)[number];
export type Times = Record<Way, number>;

/** struct sink of path.bpf.c. */
interface Arrivals {
  arrived: number;
  answered: number;
}

export class Walk {
  /** How often each site is measured, in turn with the others. */
  readonly rounds: number;
  readonly #object = new DirectorObject(pathObject);
  readonly #sink = this.#object.map('sink');
  readonly #load = this.#object.map('load');
  readonly #senders: Record<Way, Program> = {
    out: this.#object.program('send_up'),
    back: this.#object.program('send_down'),
  };
  readonly ends = {
    isp: this.#object.program('sink_isp'),
    client: this.#object.program('sink_client'),
  };
  readonly floor: { tc: Program; xdp: Program; across: BpfMap } = {
    tc: this.#object.program('floor_in'),
    xdp: this.#object.program('floor_xdp'),
    across: this.#object.map('across'),
  };

  constructor(rounds: number) {
    this.rounds = rounds;
  }

  /** Counts since the last call, and from now on ISPs answer or not. */
  #restart(answers: boolean): Arrivals {
    const value = this.#sink.get(u32Key(0)) ?? Buffer.alloc(24);
    const next = Buffer.alloc(24);
    next.writeBigUInt64LE(answers ? 1n : 0n, 16);
    this.#sink.set(u32Key(0), next);
    const [arrived, answered] = [0, 8].map((at) => Number(value.readBigUInt64LE(at)));
    return { arrived: arrived ?? 0, answered: answered ?? 0 };
  }

  #send({ name, near, far, link, frame }: Site, way: Way, flows: number, packets: number): Sent {
    const ids = { program: this.#senders[way].info.id, load: this.#load.info.id };
    const argv = sendArgv({ ...ids, link: way === 'out' ? link : 'lo', frame, flows, packets });
    const from = way === 'out' ? near : far;
    const sent = JSON.parse(run(['ip', 'netns', 'exec', from, ...argv])) as Sent;
    if (sent.sent !== packets || sent.failed > 0)
      throw new Refused(`${name}: sent ${sent.sent} of ${packets}, ${sent.failed} failed`);
    return sent;
  }

  /** One packet and one answer of each flow; what the outside sees of them is known then. */
  greet(site: Site, flows: number): void {
    this.#restart(true);
    this.#send(site, 'out', flows, flows);
    const { arrived, answered } = this.#restart(false);
    if (arrived !== flows || answered !== flows)
      throw new Refused(
        `${site.name}: of ${flows} first packets ${arrived} arrived and ${answered} answers came back`,
      );
  }

  #walk(site: Site, way: Way, flows: number, packets: number): number {
    this.#restart(false);
    const before = countOf(site.counted, way);
    const { nsPerPacket, asideNs } = this.#send(site, way, flows, packets);
    const arrivals = this.#restart(false);
    const arrived = way === 'out' ? arrivals.arrived : arrivals.answered;
    const counted = countOf(site.counted, way) - before;
    const told = `${site.name}, ${way}: sent ${packets}`;
    if (arrived < packets * leastArrived || arrived > packets)
      throw new Refused(`${told}, arrived ${arrived}`);
    if (site.counted && counted < packets * leastArrived)
      throw new Refused(`${told}, only ${counted} went the way that is measured`);
    const most = flows < many ? mostAside : mostAsideOfMany;
    if (asideNs > nsPerPacket * packets * most)
      throw new Refused(`${told}, ksoftirqd worked ${asideNs / 1e6} ms on the side`);
    return nsPerPacket;
  }

  /** Nanoseconds a packet; refused unless they arrived, by the way that is measured. */
  measure(site: Site, flows: number, packets: number): Times {
    let greeted = false;
    const walk = (way: Way): number =>
      insist(() => {
        if (!greeted) this.greet(site, flows);
        greeted = false;
        const ns = this.#walk(site, way, flows, packets);
        greeted = true;
        return ns;
      }, tries);
    return { out: walk('out'), back: walk('back') };
  }

  close(): void {
    this.#object.close();
  }
}

/** Packets that a director counted as such that took the way that is measured. */
function countOf(counted: Counted | undefined, way: Way): number {
  if (!counted) return 0;
  const { hook, verdict } = counted[way];
  return Number(counted.maps.verdicts()[hook]?.[verdict] ?? 0n);
}
