// Questions by neighbour discovery (RFC 4861).

import ipaddr from 'ipaddr.js';
import * as libbpf from './libbpf.ts';
import type { AskedNeighbour } from './neighbour.ts';
import { bindToLink, checkErrno, setOption } from './socket.ts';

const AF_INET6 = 10;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o2004000;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_HOPS = 18;
const IPPROTO_ICMPV6 = 58;
const ICMPV6_FILTER = 1;
const solicitation = 135;
const advertisement = 136;
/** More than that come in a flood; the rest waits. */
const mostMessages = 1000;

export function askByDiscovery(
  { link, nextHop }: { link: string; nextHop: string },
  mac: Buffer,
): AskedNeighbour {
  const theirs = bytesOf(nextHop);
  const fd = libbpf.socket(AF_INET6, SOCK_RAW_NONBLOCK_CLOEXEC, IPPROTO_ICMPV6);
  checkErrno(fd, 'open a socket for neighbour discovery');
  try {
    setUp(fd, link);
    // The kernel fills in the checksum. Behind their address is ours, for the answer.
    const head = [solicitation, 0, 0, 0, 0, 0, 0, 0];
    const message = Buffer.from([...head, ...theirs, 1, 1, ...mac]);
    const to = solicitedNode(theirs, link);
    const sent = libbpf.sendTo(fd, message, message.length, 0, to, to.length);
    checkErrno(sent, `ask by neighbour discovery on ${link}`);
  } catch (error) {
    libbpf.closeFd(fd);
    throw error;
  }
  return { answered: () => readAnswer(fd, theirs), close: () => void libbpf.closeFd(fd) };
}

const bytesOf = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

function setUp(fd: number, link: string): void {
  bindToLink(fd, link);
  // Less would say that it came from beyond the link.
  setOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
  // A bit for each type that it does not want to hear.
  const filter = Buffer.alloc(32, 0xff);
  const bit = 1 << (advertisement % 32);
  filter.writeUInt32LE(~bit >>> 0, 4 * Math.floor(advertisement / 32));
  setOption(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, filter);
}

/** struct sockaddr_in6 of the multicast group that an address's owner is in. */
function solicitedNode(address: Buffer, link: string): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6);
  bytes.set(bytesOf('ff02::1:ff00:0'), 8);
  bytes.set(address.subarray(13), 8 + 13);
  bytes.writeUInt32LE(libbpf.interfaceIndex(link), 24);
  return bytes;
}

function readAnswer(fd: number, address: Buffer): boolean {
  const message = Buffer.alloc(256);
  for (let i = 0; i < mostMessages; i++) {
    if (libbpf.receive(fd, message, message.length, 0) < 0) return false;
    if (message[0] === advertisement && message.subarray(8, 24).equals(address)) return true;
  }
  return false;
}
