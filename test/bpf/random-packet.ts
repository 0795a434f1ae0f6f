// Connections and packets of them by chance: sizes, options, what the card makes of them.

import type { Random } from './random.ts';
import type { PacketOptions } from './real-packet.ts';

export interface Conversation {
  family: 4 | 6;
  protocol: 'tcp' | 'udp';
  client: string;
  port: number;
  server: string;
  serverPort: number;
  /** Its packets have one class; ECN is each packet's own. */
  dscp: number;
}

/** Few clients and ports: many want the same port outside. */
export function randomConversation(random: Random): Conversation {
  const family = random(2) === 0 ? 4 : 6;
  const [client, server] = [2 + random(8), 1 + random(6)];
  return {
    family,
    protocol: random(2) === 0 ? 'tcp' : 'udp',
    client: family === 4 ? `10.0.0.${client}` : `fd00::${client}`,
    port: 4000 + random(60),
    server: family === 4 ? `203.0.113.${server}` : `2001:db8:ff::${server}`,
    serverPort: [53, 80, 443][random(3)]!,
    dscp: [0, 0, 8, 46][random(4)]!,
  };
}

export const nameOf = ({ dscp: _, ...key }: Conversation): string => Object.values(key).join(' ');

const ackFlags = [0x10, 0x18, 0x50, 0x90];
const timestamps = Buffer.from('0101080a0000000100000002', 'hex');

/** What lies in the middle of a connection; ends are the packet's own source and destination. */
export function randomPacket(
  random: Random,
  { family, protocol, dscp }: Conversation,
  ends: Pick<PacketOptions, 'source' | 'destination' | 'sourcePort' | 'destinationPort'>,
): PacketOptions {
  const bytes = random(3) === 0 ? random(4) : random(1400);
  const common = {
    ...{ family, protocol, ...ends },
    tos: (dscp << 2) | random(4),
    ttl: 2 + random(254),
    id: random(0x10000),
    payload: Buffer.alloc(bytes, random(256)),
  };
  const card = random(2) === 0 ? 'full' : 'left to the card';
  if (protocol === 'udp')
    return { ...common, checksum: family === 4 && random(4) === 0 ? 'none' : card };
  const tcp = {
    ...common,
    flags: ackFlags[random(ackFlags.length)]!,
    seq: random(0xffff_ffff),
    ack: random(0xffff_ffff),
    options: random(2) === 0 ? timestamps : Buffer.alloc(0),
  };
  if (random(4) > 0) return { ...tcp, checksum: card };
  return { ...tcp, segmentSize: 1300, payload: Buffer.alloc(2000 + random(20_000), random(256)) };
}
