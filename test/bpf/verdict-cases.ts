// Packet in -> verdict, and the gateway bits after it.

import assert from 'node:assert/strict';
import type { Bed } from './bed.ts';
import { setOnDown, takeDown, takeUp } from './down.ts';
import { Flow } from './flow.ts';
import { mac, packet } from './packet.ts';
import { passedOn } from './passed-on-cases.ts';
import { gatewayAddress } from './service.ts';
import {
  down4,
  first,
  known,
  mark,
  ports,
  tcp,
  tcp6,
  udp,
  up4,
  up6,
  type VerdictCase,
} from './verdict-bed.ts';

/** One that is known, and whose gateway was deleted. */
const gone =
  (flow: Flow) =>
  (bed: Bed): void => {
    bed.setService({ fwmark: mark.losing, gateways: [[101]] });
    assert.equal(bed.direct(flow.up(), mark.losing), gatewayAddress(101));
    bed.editService(() => ({ gateways: [] }), mark.losing);
  };

/** One that is known, and whose gateway went down. */
const failed =
  (flow: Flow) =>
  (bed: Bed): void => {
    takeUp(bed);
    setOnDown(bed, mark.failing, 'RESET');
    assert.equal(bed.direct(flow.up(), mark.failing), gatewayAddress(2));
    takeDown(bed, [2]);
  };

const failedCases: VerdictCase[] = (['director', 'ingress'] as const).flatMap(
  (hook): VerdictCase[] => [
    {
      name: 'a segment of a connection whose gateway is down',
      hook,
      verdict: 'RESET',
      before: failed(tcp),
      packet: tcp.up('A'),
      gateway: 'refused',
    },
    {
      name: 'a datagram of a flow whose gateway is down',
      hook,
      verdict: 'MOVED',
      before: failed(udp),
      packet: udp.up(),
      mark: mark.failing,
      // At ingress it is left to the director.
      gateway: hook === 'director' ? first : '-',
    },
  ],
);

const knownCases: VerdictCase[] = [
  { name: 'a segment of a TCP connection', before: known(tcp), packet: tcp.up('A') },
  { name: 'a SYN sent again', before: known(tcp), packet: tcp.up('S') },
  { name: 'a datagram of a UDP flow', before: known(udp), packet: udp.up() },
].flatMap((each) =>
  (['director', 'ingress'] as const).map((hook): VerdictCase => {
    return { ...each, hook, verdict: 'KNOWN', gateway: first };
  }),
);

const director: Omit<VerdictCase, 'hook'>[] = [
  { name: 'TCP', verdict: 'NEW', packet: tcp.up(), gateway: first },
  {
    name: 'TCP over IPv6',
    verdict: 'NEW',
    packet: tcp6.up(),
    gateway: gatewayAddress(1, 6),
  },
  { name: 'UDP', verdict: 'NEW', packet: udp.up(), gateway: first },
  {
    name: 'a datagram of a service with -o',
    verdict: 'ONE_PACKET',
    packet: udp.up(),
    mark: mark.onePacket,
    gateway: first,
  },
  {
    name: 'TCP of a service with -o',
    verdict: 'NEW',
    packet: tcp.up(),
    mark: mark.onePacket,
    gateway: first,
  },
  {
    name: 'a second connection of a persistent client',
    verdict: 'TEMPLATE',
    before: (bed) => void bed.direct(new Flow({ port: 4001 }).up(), mark.persistent),
    mark: mark.persistent,
    packet: tcp.up(),
    gateway: gatewayAddress(2),
  },
  { name: 'a fwmark of nobody', verdict: 'NO_SERVICE', packet: tcp.up(), mark: mark.nobody },
  {
    name: 'a service of the other family',
    verdict: 'NO_SERVICE',
    mark: mark.ipv6Only,
    packet: tcp.up(),
  },
  {
    name: 'a service without gateways',
    verdict: 'NO_GATEWAY',
    mark: mark.empty,
    packet: tcp.up(),
  },
  {
    name: 'a service whose gateways are all drained',
    verdict: 'NO_GATEWAY',
    mark: mark.drained,
    packet: tcp.up(),
  },
  {
    name: 'a service whose last resort is to tell the client',
    verdict: 'UNREACHABLE',
    mark: mark.refusing,
    packet: tcp.up(),
    gateway: 'refused',
  },
  {
    name: 'a service that lets nothing out by the main table',
    verdict: 'DROPPED',
    mark: mark.dropping,
    packet: tcp.up(),
    gateway: '-',
  },
  {
    name: 'SCTP that does not begin with INIT',
    verdict: 'MIDSTREAM',
    packet: new Flow({ protocol: 'sctp' }).up('DATA'),
  },
  ...['A', 'FA', 'SA', 'R', 'RA', 'SR', 'F', 'PA', ''].map(
    (flags): Omit<VerdictCase, 'hook'> => ({
      name: `TCP with flags "${flags}" begins nothing`,
      verdict: 'MIDSTREAM',
      packet: tcp.up(flags),
    }),
  ),
  {
    name: 'an echo reply begins nothing',
    verdict: 'MIDSTREAM',
    packet: packet().ipv4(up4).ping(4, 'reply', 7),
  },
  ...[0, 1].flatMap((ttl): Omit<VerdictCase, 'hook'>[] => [
    {
      name: `a TTL of ${ttl}`,
      verdict: 'TTL',
      packet: packet()
        .ipv4({ ...up4, ttl })
        .udp(ports),
    },
    {
      name: `a hop limit of ${ttl}`,
      verdict: 'TTL',
      packet: packet()
        .ipv6({ ...up6, ttl })
        .udp(ports),
    },
  ]),
  {
    name: 'a packet whose mark has a gateway already',
    verdict: 'LOOP',
    packet: tcp.up(),
    mark: (1 << 24) | mark.served,
  },
  {
    name: 'a table at its limit; the gateway is scheduled all the same',
    verdict: 'TABLE_FULL',
    before: (bed) => {
      known(udp)(bed);
      bed.setSettings({ connectionLimit: 1 });
    },
    packet: tcp.up(),
    gateway: first,
  },
  {
    name: 'a segment of a connection whose gateway was deleted',
    verdict: 'GATEWAY_GONE',
    before: gone(tcp),
    packet: tcp.up('A'),
  },
  {
    name: 'an entry that another CPU is just taking away; the scheduler decides',
    verdict: 'RACE',
    before: (bed) => {
      known(tcp)(bed);
      // Its counters are gone with it, but not yet the entry.
      bed.markDead();
    },
    packet: tcp.up(),
    gateway: first,
  },
];

const tc: VerdictCase[] = [
  { name: 'a SYN', hook: 'ingress', verdict: 'UNKNOWN', packet: tcp.up() },
  {
    name: 'a SYN on a connection that is over: the scheduler decides again',
    hook: 'ingress',
    verdict: 'UNKNOWN',
    before: (bed) => {
      known(tcp)(bed);
      bed.run('egress', tcp.down('RA'));
    },
    packet: tcp.up('S'),
  },
  {
    name: 'a connection whose gateway was deleted',
    hook: 'ingress',
    verdict: 'GATEWAY_GONE',
    before: gone(udp),
    packet: udp.up(),
  },
  {
    name: 'a frame for another host',
    hook: 'ingress',
    verdict: 'MULTICAST',
    before: known(tcp),
    packet: packet({ to: mac.stranger })
      .ipv4(up4)
      .tcp({ ...ports, flags: 'A' }),
  },
  { name: 'a reply', hook: 'egress', verdict: 'KNOWN', before: known(tcp), packet: tcp.down() },
  {
    name: 'a reply whose gateway was deleted: its state still counts',
    hook: 'egress',
    verdict: 'KNOWN',
    before: gone(tcp),
    packet: tcp.down(),
  },
  {
    name: 'the reset that we send in the name of a server',
    hook: 'egress',
    verdict: 'RESET',
    before: (bed) => {
      failed(tcp)(bed);
      bed.run('ingress', tcp.up('A'));
    },
    packet: tcp.down('R'),
  },
  { name: 'a reply to nobody', hook: 'egress', verdict: 'UNKNOWN', packet: tcp.down() },
  ...(['ingress', 'egress'] as const).map(
    (hook): VerdictCase => ({
      name: 'a packet of a VLAN, whose own link counts it',
      hook,
      verdict: 'TAGGED',
      before: known(tcp),
      packet:
        hook === 'ingress'
          ? packet({ to: mac.lan })
              .vlan(5)
              .ipv4(up4)
              .tcp({ ...ports, flags: 'A' })
          : packet().vlan(5).ipv4(down4).tcp({ sport: 80, dport: 4000, flags: 'A' }),
      byWire: true,
    }),
  ),
];

const groups: VerdictCase[] = [mac.broadcast, mac.multicast4].map((to) => ({
  name: `a frame to ${to}`,
  hook: 'ingress',
  verdict: 'MULTICAST',
  before: known(tcp),
  packet: packet({ to })
    .ipv4(up4)
    .tcp({ ...ports, flags: 'A' }),
}));

const cases: VerdictCase[] = [
  ...knownCases,
  ...failedCases,
  ...director.map((each) => ({ ...each, hook: 'director' as const })),
  ...tc,
  ...groups,
  ...(['director', 'ingress', 'egress'] as const).flatMap((hook) =>
    passedOn.map((each) => ({
      ...each,
      hook,
      packet: (hook === 'egress' && each.down) || each.packet,
    })),
  ),
];

export const verdictCases = cases.map((each) => ({ ...each, mark: each.mark ?? mark.served }));
