// Damaged packets, as chance has it: what fuzz tests run through the programs.

import { client4, client6, Flow, server4, server6 } from './flow.ts';
import { packet } from './packet.ts';
import { passedOn } from './passed-on-cases.ts';
import type { Random } from './random.ts';

const flows = [client4, client6].flatMap((client) =>
  (['tcp', 'udp', 'icmp', 'gre'] as const).map((protocol) => new Flow({ client, protocol })),
);
/** Whole packets of every kind, with an Ethernet header. */
const seeds: Buffer[] = [
  ...passedOn.map((each) => each.packet),
  ...flows.flatMap((flow) => [
    ...['S', 'A', 'FA', 'R'].map((flags) => flow.up(flags).payload(30)),
    ...['SA', 'A', 'FA', 'RA'].map((flags) => flow.down(flags).payload(30)),
  ]),
  ...[client4, client6].flatMap((client) => {
    const flow = new Flow({ client, protocol: 'sctp' });
    return [
      ...['INIT', 'COOKIE-ECHO+ABORT', 'DATA', 'SHUTDOWN-COMPLETE'].map((name) => flow.up(name)),
      ...['INIT-ACK', 'COOKIE-ACK+SACK', 'SHUTDOWN', 'ABORT'].map((name) => flow.down(name)),
    ];
  }),
  ...(
    [
      [client6, server6],
      [server6, client6],
    ] as const
  ).map(([src, dst]) =>
    packet()
      .ipv6({ src, dst })
      .extension('hopByHop')
      .extension('routing', 2)
      .fragment()
      .extension('destinationOptions')
      .tcp({ sport: 4000, dport: 80, flags: 'S' }),
  ),
  packet().ipv4({ src: client4, dst: server4, options: 40 }).udp({ sport: 4000, dport: 80 }),
  ...[packet().vlan(5), packet().vlan(5).vlan(6)].flatMap((tagged) => [
    tagged.ipv4({ src: client4, dst: server4 }).tcp({ sport: 4000, dport: 80, flags: 'S' }),
    tagged.ipv6({ src: client6, dst: server6 }).udp({ sport: 4000, dport: 80 }),
  ]),
].map(({ bytes }) => bytes);

/** Values that headers compare with. */
const edges = [0, 1, 4, 5, 6, 8, 15, 17, 43, 44, 58, 60, 127, 128, 129, 132, 254, 255];
const pick = <T>(random: Random, from: T[]): T => from[random(from.length)]!;

/** One to four changes anywhere behind the MAC addresses, then perhaps another length. */
export function damage(random: Random): Buffer {
  const bytes = Buffer.from(pick(random, seeds));
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = 12 + random(bytes.length - 12);
    if (random(2) === 0) bytes[at] = pick(random, edges);
    else bytes[at] = bytes[at]! ^ (1 << random(8));
  }
  if (random(3) > 0) return bytes;
  return random(2) === 0
    ? bytes.subarray(0, 14 + random(bytes.length - 14))
    : Buffer.concat([bytes, Buffer.alloc(random(64), random(256))]);
}
