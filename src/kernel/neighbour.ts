// Asks for a neighbour's hardware address beside what the kernel asks for itself: a question that nobody
// answers changes nothing in its table, by which traffic goes. An answer makes the entry a fresh one there,
// too, and rightly so. No programs: the next hop is what every gateway is asked for, ten times a second
// while it is in doubt.

import type { Family } from '../model/table.ts';
import { askByArp } from './arp.ts';
import * as libbpf from './libbpf.ts';
import { askByDiscovery } from './neighbour-discovery.ts';
import { checkErrno } from './socket.ts';

export interface Neighbour {
  link: string;
  family: Family;
  nextHop: string;
  /** An address of ours on the link, for IPv4. */
  source: string;
}

/** A question that is out. */
export interface AskedNeighbour {
  /** Whether an answer has come by now. */
  answered(): boolean;
  close(): void;
}

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFHWADDR = 0x8927;
const IFF_NOARP = 0x80;
const ARPHRD_ETHER = 1;

/** Undefined for a link that has no neighbours: point-to-point. */
export function askNeighbour(neighbour: Neighbour): AskedNeighbour | undefined {
  const mac = hardwareAddress(neighbour.link);
  if (!mac) return undefined;
  return neighbour.family === 4 ? askByArp(neighbour, mac) : askByDiscovery(neighbour, mac);
}

function hardwareAddress(link: string): Buffer | undefined {
  const fd = libbpf.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  checkErrno(fd, 'open a socket');
  const ask = (request: number): Buffer => {
    // struct ifreq: the name, then what is asked.
    const ifreq = Buffer.alloc(40);
    ifreq.write(link, 'latin1');
    checkErrno(libbpf.ioctl(fd, request, ifreq), `ask for the link ${link}`);
    return ifreq.subarray(16);
  };
  try {
    if ((ask(SIOCGIFFLAGS).readUInt16LE() & IFF_NOARP) !== 0) return undefined;
    const address = ask(SIOCGIFHWADDR);
    return address.readUInt16LE() === ARPHRD_ETHER ? address.subarray(2, 8) : undefined;
  } finally {
    libbpf.closeFd(fd);
  }
}
