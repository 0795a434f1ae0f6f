// Questions by ARP. One socket for all of them and for as long as we run: closing such a one waits for
// every CPU (synchronize_net), which with many gateways would be all that we do.

import ipaddr from 'ipaddr.js';
import * as libbpf from './libbpf.ts';
import type { AskedNeighbour } from './neighbour.ts';
import { checkErrno } from './socket.ts';

const AF_PACKET = 17;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o2004000;
const ETH_P_ARP = 0x0806;
/** sizeof struct sockaddr_ll. */
const addressBytes = 20;
/** More than that come in a flood; the rest waits. */
const mostMessages = 1000;

/** Ethernet, IPv4, the lengths of their addresses, and: a question. */
const question = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
const answerCode = 2;

interface Question {
  ifindex: number;
  address: Buffer;
  answered: boolean;
}

const open = new Set<Question>();
let socket: number | undefined;

export function askByArp(
  { link, nextHop, source }: { link: string; nextHop: string; source: string },
  mac: Buffer,
): AskedNeighbour {
  socket ??= openSocket();
  // Answers to who asked before are no answers to this one.
  readAnswers(socket);
  const asked: Question = {
    ifindex: libbpf.interfaceIndex(link),
    address: bytesOf(nextHop),
    answered: false,
  };
  const to = linkAddress(asked.ifindex);
  const message = Buffer.concat([question, mac, bytesOf(source), Buffer.alloc(6), asked.address]);
  const sent = libbpf.sendTo(socket, message, message.length, 0, to, to.length);
  checkErrno(sent, `ask by ARP on ${link}`);
  open.add(asked);
  return {
    answered: () => {
      if (socket !== undefined && !asked.answered) readAnswers(socket);
      return asked.answered;
    },
    close: () => void open.delete(asked),
  };
}

const bytesOf = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

function openSocket(): number {
  const fd = libbpf.socket(AF_PACKET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  checkErrno(fd, 'open a socket for ARP');
  const all = linkAddress(0);
  const bound = libbpf.bind(fd, all, all.length);
  if (bound < 0) libbpf.closeFd(fd);
  checkErrno(bound, 'listen to ARP');
  return fd;
}

/** struct sockaddr_ll of everybody on the link who listens to ARP; 0: on any link. */
function linkAddress(ifindex: number): Buffer {
  const bytes = Buffer.alloc(addressBytes);
  bytes.writeUInt16LE(AF_PACKET);
  bytes.writeUInt16BE(ETH_P_ARP, 2);
  bytes.writeInt32LE(ifindex, 4);
  bytes[11] = 6;
  return bytes.fill(0xff, 12, 18);
}

function readAnswers(fd: number): void {
  const message = Buffer.alloc(64);
  const from = Buffer.alloc(addressBytes);
  const fromBytes = Buffer.alloc(4);
  for (let i = 0; i < mostMessages; i++) {
    fromBytes.writeUInt32LE(addressBytes);
    if (libbpf.receiveFrom(fd, message, message.length, 0, from, fromBytes) < 0) return;
    if (message[7] !== answerCode) continue;
    const [ifindex, sender] = [from.readInt32LE(4), message.subarray(14, 18)];
    for (const asked of open)
      if (asked.ifindex === ifindex && asked.address.equals(sender)) asked.answered = true;
  }
}
