// A link without a link header whose other end is this process.

import { openSync } from 'node:fs';
import koffi from 'koffi';

export const tunDevice = '/dev/net/tun';
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *arg)');

/** What is read from this descriptor left by the link, what is written comes in by it. It goes with the process. */
export function openTun(name: string): number {
  const fd = openSync(tunDevice, 'r+');
  const request = Buffer.alloc(40); // struct ifreq
  request.write(name);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
  if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`cannot make ${name}`);
  return fd;
}
