// A bed whose packets pass the real stack: NAT at one of two gateways, conntrack, both hooks of every link.
// Frames go in where the LAN and the providers are, and are read where they come out.

import type * as abi from '../../src/kernel/abi.gen.ts';
import { attachToLinks } from '../../src/kernel/attach.ts';
import { prepareFastPath, setGuard } from '../../src/kernel/fastpath.ts';
import { readLinks } from '../../src/kernel/link.ts';
import { readObjects, replaceRoutes } from '../../src/kernel/objects.ts';
import type { Fastpath } from '../../src/model/table.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { type Bed, openBed } from './bed.ts';
import { mac } from './packet.ts';
import { RawSocket } from './raw-socket.ts';
import { type PacketOptions, toFrame } from './real-packet.ts';

/** wan1 has SNAT, wan2 none. */
export const sides = ['lan0p', 'wan1p', 'wan2p'] as const;
export type Place = (typeof sides)[number];

const admin = `
table inet admin {
  chain prerouting {
    type filter hook prerouting priority mangle;
    iifname lan0 ct state new meta mark set 1
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname wan1 masquerade
  }
}`;

const readMac = (link: string): string =>
  (JSON.parse(run(['ip', '-json', 'link', 'show', 'dev', link])) as { address: string }[])[0]!
    .address;

export class FastBed {
  readonly bed: Bed = openBed({ connections: 16_384 });
  readonly #sockets: Record<Place, RawSocket>;
  readonly #macs: Record<Place, string>;
  #epoch = 1;

  constructor() {
    run(['ip', '-batch', '-'], {
      input: ['address add 10.0.0.1/24 dev lan0', 'address add fd00::1/64 dev lan0 nodad']
        .map((line) => `${line}\n`)
        .join(''),
    });
    run(['nft', '-f', '-'], { input: admin });
    for (const family of [4, 6] as const) this.bed.setService({ family, gateways: [[1], [101]] });
    prepareFastPath(this.bed.director);
    this.setService('on');
    const each = <T>(make: (place: Place) => T): Record<Place, T> => ({
      lan0p: make('lan0p'),
      wan1p: make('wan1p'),
      wan2p: make('wan2p'),
    });
    this.#sockets = each((place) => new RawSocket(place));
    this.#macs = each((place) => readMac(place.slice(0, -1)));
  }

  setService(fastpath: Fastpath): void {
    for (const family of [4, 6] as const) this.bed.editService(() => ({ fastpath }), 1, family);
    // A table without a configuration has no uplinks, and no routes that teach.
    const routes = readObjects([4, 6]).routes.map((route) => ({ ...route, teaches: true }));
    replaceRoutes(routes);
    const config = { lan: ['lan0'], fastpath: true };
    const gatewayLinks = ['wan1', 'wan2'];
    attachToLinks(this.bed.director, { links: readLinks(), gatewayLinks, config });
  }

  /** Everything that the fast path knew is learnt anew. */
  allow(allowed: boolean, careful = 0): void {
    const untilNs = allowed ? 2n ** 63n : 0n;
    setGuard(this.bed.director, { untilNs, checkNs: 100_000_000n, epoch: ++this.#epoch, careful });
  }

  send(place: Place, packet: PacketOptions): void {
    const { frame, offload } = toFrame(packet, { to: this.#macs[place], from: mac.stranger });
    this.#sockets[place].send(frame, offload);
  }

  /** What comes out for it, with its offload header, and where. */
  async pass(place: Place, packet: PacketOptions): Promise<{ at: Place; frame: Buffer }> {
    this.send(place, packet);
    let out: { at: Place; frame: Buffer } | undefined;
    await waitUntil(`a packet from ${place} to leave: ${JSON.stringify(packet)}`, () => {
      out ??= this.#read();
      return out !== undefined;
    });
    return out!;
  }

  /** Whatever has come out and nobody asked for. */
  drain(): void {
    while (this.#read());
  }

  #read(): { at: Place; frame: Buffer } | undefined {
    for (const at of sides) {
      const frame = this.#sockets[at].receive();
      if (frame) return { at, frame };
    }
    return undefined;
  }

  /** Packets that a hook let take the fast path. */
  fast(hook: number, verdict: number): number {
    return Number(this.bed.director.maps.verdicts()[hook]?.[verdict] ?? 0n);
  }

  /** Entries of both directions. */
  flows(name: 'fast_up' | 'fast_down'): abi.Fast[] {
    return [...this.bed.director.maps.fastFlows(name)];
  }

  close(): void {
    for (const place of sides) this.#sockets[place].close();
    this.bed.close();
  }
}
