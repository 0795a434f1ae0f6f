// Sockets that are bound to a link: their packets leave by it or not at all, whatever routes there are.
// Only so: one that has just the link's address still takes any route of the main table that is more specific
// than its default. By libc, for Node.js can neither bind a socket to a link nor mark it.

import ipaddr from 'ipaddr.js';
import type { Family } from '../model/table.ts';
import * as libbpf from './libbpf.ts';
import { bindToLink, checkErrno, setOption } from './socket.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const SOL_SOCKET = 1;
const SO_MARK = 36;

export interface BoundTo {
  link: string;
  /** Its own address; '' where the kernel shall choose one of the link's. */
  source: string;
  /** 0: none. */
  mark: number;
}

/** A new socket's fd, for net.Socket or dgram.Socket.bind(), who close it. */
export function openBoundSocket(kind: 'tcp' | 'udp', family: Family, to: BoundTo): number {
  const type = (kind === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK_CLOEXEC;
  const fd = libbpf.socket(family === 4 ? AF_INET : AF_INET6, type, 0);
  checkErrno(fd, 'open a socket');
  try {
    bindToLink(fd, to.link);
    setOption(fd, SOL_SOCKET, SO_MARK, to.mark);
    if (to.source !== '') {
      const address = socketAddress(family, to.source);
      checkErrno(libbpf.bind(fd, address, address.length), `bind a socket to ${to.source}`);
    }
  } catch (error) {
    libbpf.closeFd(fd);
    throw error;
  }
  return fd;
}

/** struct sockaddr_in or sockaddr_in6, with port 0 (any). */
function socketAddress(family: Family, address: string): Buffer {
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(family === 4 ? AF_INET : AF_INET6);
  bytes.set(ipaddr.parse(address).toByteArray(), family === 4 ? 4 : 8);
  return bytes;
}
