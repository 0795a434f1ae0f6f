// Packets that every program passes on unseen, whatever the table holds.

import type { Verdict } from './bed.ts';
import { client4, client6, Flow, server4, server6 } from './flow.ts';
import { type Packet, packet, protocol } from './packet.ts';

export interface PassedOn {
  name: string;
  verdict: Verdict;
  packet: Packet;
  /** Towards the client, where that is another packet. */
  down?: Packet;
}

const up4 = { src: client4, dst: server4 };
const up6 = { src: client6, dst: server6 };
const down4 = { src: server4, dst: client4 };
const down6 = { src: server6, dst: client6 };
const ports = { sport: 4000, dport: 80 };
const tcp = new Flow();
const tcp6 = new Flow({ client: client6 });

export const passedOn: PassedOn[] = [
  {
    name: 'a first fragment',
    verdict: 'FRAGMENT',
    packet: packet()
      .ipv4({ ...up4, fragment: { more: true } })
      .udp(ports),
  },
  {
    name: 'a later fragment',
    verdict: 'FRAGMENT',
    packet: packet()
      .ipv4({ ...up4, fragment: { offset: 1480 } })
      .udp(ports),
  },
  {
    name: 'a middle fragment',
    verdict: 'FRAGMENT',
    packet: packet()
      .ipv4({ ...up4, fragment: { offset: 1480, more: true } })
      .udp(ports),
  },
  {
    name: 'a first fragment of IPv6',
    verdict: 'FRAGMENT',
    packet: packet().ipv6(up6).fragment({ more: true }).udp(ports),
  },
  {
    name: 'a later fragment of IPv6',
    verdict: 'FRAGMENT',
    packet: packet().ipv6(up6).fragment({ offset: 1448 }).other(protocol.udp),
  },
  ...['224.0.0.251', '239.255.255.250', '255.255.255.255', 'ff02::fb', 'ff0e::1'].map((dst) => ({
    name: `a packet to ${dst}`,
    verdict: 'MULTICAST' as const,
    packet: packet()
      .ip({ src: dst.includes(':') ? client6 : client4, dst })
      .udp(ports),
  })),
  ...[3, 4, 5, 11, 12].map((type) => ({
    name: `an ICMP error of type ${type}`,
    verdict: 'ICMP_ERROR' as const,
    packet: packet().ipv4(up4).icmp({ type }).quoting(tcp.down()),
    down: packet().ipv4(down4).icmp({ type }).quoting(tcp.up()),
  })),
  ...[1, 2, 3, 4, 127].map((type) => ({
    name: `an ICMPv6 error of type ${type}`,
    verdict: 'ICMP_ERROR' as const,
    packet: packet().ipv6(up6).icmpv6({ type }).quoting(tcp6.down()),
    down: packet().ipv6(down6).icmpv6({ type }).quoting(tcp6.up()),
  })),
  { name: 'ARP', verdict: 'NOT_IP', packet: packet({ type: 0x0806 }).payload(28) },
  { name: 'PPPoE', verdict: 'NOT_IP', packet: packet({ type: 0x8864 }).payload(40) },
  { name: 'MPLS', verdict: 'NOT_IP', packet: packet({ type: 0x8847 }).payload(40) },
  {
    name: 'a version of 5',
    verdict: 'TRUNCATED',
    packet: packet()
      .ipv4({ ...up4, version: 5 })
      .udp(ports),
  },
  {
    name: 'a header of 4 words',
    verdict: 'TRUNCATED',
    packet: packet()
      .ipv4({ ...up4, headerWords: 4 })
      .udp(ports),
  },
  {
    name: 'a version of 4 in IPv6',
    verdict: 'TRUNCATED',
    packet: packet()
      .ipv6({ ...up6, version: 4 })
      .udp(ports),
  },
  {
    name: 'protocol 0, which is the key of templates',
    verdict: 'TRUNCATED',
    packet: packet()
      .ipv4({ ...up4, protocol: 0 })
      .payload(20),
  },
];
