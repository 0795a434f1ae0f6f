// Whole packets with right checksums, as hosts send them.

import ipaddr from 'ipaddr.js';
import type { Offload } from './raw-socket.ts';

export interface PacketOptions {
  family: 4 | 6;
  protocol: 'tcp' | 'udp';
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  /** Type of service or traffic class, with ECN. */
  tos?: number;
  ttl?: number;
  id?: number;
  /** TCP. */
  flags?: number;
  seq?: number;
  ack?: number;
  /** TCP: bytes of them, a multiple of four. */
  options?: Buffer;
  payload?: Buffer;
  /** UDP over IPv4 may have none. */
  checksum?: 'full' | 'none' | 'left to the card';
  /** TCP: to be cut into segments with so many bytes of payload. */
  segmentSize?: number;
}

const etherLength = 14;
const numbers = { tcp: 6, udp: 17 } as const;

/** The sum of RFC 1071, not yet inverted. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  if (bytes.length % 2) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const addressOf = (text: string): Buffer => Buffer.from(ipaddr.parse(text).toByteArray());

function ipHeader(options: PacketOptions, length: number): Buffer {
  const { family, protocol, source, destination, tos = 0, ttl = 64, id = 1 } = options;
  if (family === 4) {
    const header = Buffer.alloc(12);
    header.writeUInt8(0x45, 0);
    header.writeUInt8(tos, 1);
    header.writeUInt16BE(20 + length, 2);
    header.writeUInt16BE(id, 4);
    header.writeUInt16BE(0x4000, 6);
    header.writeUInt8(ttl, 8);
    header.writeUInt8(numbers[protocol], 9);
    const whole = Buffer.concat([header, addressOf(source), addressOf(destination)]);
    whole.writeUInt16BE(~sumOf(whole) & 0xffff, 10);
    return whole;
  }
  const header = Buffer.alloc(8);
  header.writeUInt32BE(((6 << 28) | (tos << 20) | (id & 0xfffff)) >>> 0, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(numbers[protocol], 6);
  header.writeUInt8(ttl, 7);
  return Buffer.concat([header, addressOf(source), addressOf(destination)]);
}

function transport(options: PacketOptions): Buffer {
  const { protocol, sourcePort, destinationPort, payload = Buffer.alloc(0) } = options;
  const header = Buffer.alloc(protocol === 'tcp' ? 20 : 8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  if (protocol === 'udp') {
    header.writeUInt16BE(8 + payload.length, 4);
    return Buffer.concat([header, payload]);
  }
  const { flags = 0x10, seq = 1, ack = 1, options: more = Buffer.alloc(0) } = options;
  header.writeUInt32BE(seq, 4);
  header.writeUInt32BE(ack, 8);
  header.writeUInt8(((20 + more.length) / 4) << 4, 12);
  header.writeUInt8(flags, 13);
  header.writeUInt16BE(65535, 14);
  return Buffer.concat([header, more, payload]);
}

function pseudoHeader({ protocol, source, destination }: PacketOptions, length: number): Buffer {
  const rest = Buffer.alloc(8);
  rest.writeUInt32BE(length, 0);
  rest.writeUInt32BE(numbers[protocol], 4);
  return Buffer.concat([addressOf(source), addressOf(destination), rest]);
}

/** The frame, from one link address to another, and what the card is told of it. */
export function toFrame(
  options: PacketOptions,
  link: { to: string; from: string },
): { frame: Buffer; offload: Offload } {
  const { family, protocol, checksum = 'full', segmentSize } = options;
  const segment = transport(options);
  const header = ipHeader(options, segment.length);
  const offset = protocol === 'tcp' ? 16 : 6;
  const pseudo = sumOf(pseudoHeader(options, segment.length));
  const left = checksum === 'left to the card' || segmentSize !== undefined;
  if (left) segment.writeUInt16BE(pseudo, offset);
  else if (checksum === 'full') {
    const whole = Buffer.concat([pseudoHeader(options, segment.length), segment]);
    segment.writeUInt16BE(~sumOf(whole) & 0xffff || 0xffff, offset);
  }
  const ether = Buffer.from(`${link.to}${link.from}`.replaceAll(':', ''), 'hex');
  const type = Buffer.from(family === 4 ? [0x08, 0x00] : [0x86, 0xdd]);
  const start = etherLength + header.length;
  const headers = start + (segment[12]! >> 4) * 4;
  return {
    frame: Buffer.concat([ether, type, header, segment]),
    offload: {
      ...(left && { checksum: { start, offset } }),
      ...(segmentSize !== undefined && {
        segments: { size: segmentSize, headers, kind: family === 4 ? 'tcp4' : 'tcp6' } as const,
      }),
    },
  };
}
