// A bare TCP segment as bytes, IP header and all.

import ipaddr from 'ipaddr.js';

export interface Segment {
  from: Endpoint;
  to: Endpoint;
  sequence: number;
}

interface Endpoint {
  address: string;
  port: number;
}

const tcp = 6;
const ttl = 64;
const headerLength = 20;
const ACK = 0x10;

const bytesOf = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

/** RFC 1071's, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function formatTcp({ from, to, sequence }: Segment): Buffer {
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(sequence, 4);
  header.writeUInt8((headerLength / 4) << 4, 12);
  header.writeUInt8(ACK, 13);
  const pseudo = Buffer.from([0, tcp, 0, headerLength]);
  header.writeUInt16BE(
    checksum(Buffer.concat([bytesOf(from.address), bytesOf(to.address), pseudo, header])),
    16,
  );
  return header;
}

/** An ACK without data. The kernel writes IPv4's checksum and identification. */
export function formatSegment(segment: Segment): Buffer {
  const [source, destination] = [bytesOf(segment.from.address), bytesOf(segment.to.address)];
  const rest = formatTcp(segment);
  const start =
    source.length === 4
      ? Buffer.from([0x45, 0, 0, 20 + rest.length, 0, 0, 0, 0, ttl, tcp, 0, 0])
      : Buffer.from([0x60, 0, 0, 0, 0, rest.length, tcp, ttl]);
  return Buffer.concat([start, source, destination, rest]);
}

/** struct sockaddr_in or sockaddr_in6 of an address, for sendto of whole packets: without a port. */
export function socketAddress(address: string): Buffer {
  const bytes = bytesOf(address);
  const family = Buffer.alloc(bytes.length === 4 ? 4 : 8);
  family.writeUInt16LE(bytes.length === 4 ? 2 : 10, 0);
  return Buffer.concat([family, bytes, Buffer.alloc(bytes.length === 4 ? 8 : 4)]);
}
