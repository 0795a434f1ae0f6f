// What all packet sockets of tests have in common: the C library's calls, an option, a link as an address.

import assert from 'node:assert/strict';
import koffi from 'koffi';
import { interfaceIndex } from '../../src/kernel/libbpf.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
export const SOL_PACKET = 263;

export const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int option, void *value, uint32 size)',
);

/** Hears nothing until it is bound. */
export const openPacketSocket = (): number => socket(AF_PACKET, SOCK_RAW, 0);

export function setOption(fd: number, level: number, option: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  assert.equal(setsockopt(fd, level, option, bytes, bytes.length), 0, `socket option ${option}`);
}

/** struct sockaddr_ll. */
export const linkAddressLength = 20;

export function linkAddress(link: string, etherType = 0): Buffer {
  const address = Buffer.alloc(linkAddressLength);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(etherType, 2);
  address.writeInt32LE(interfaceIndex(link), 4);
  return address;
}
