// What sockets that we make by libc have in common.

import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';

const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;

/** libc's functions return -1 and set errno, unlike libbpf's. */
export function checkErrno(result: number, tried: string): void {
  if (result < 0) throw new UserError(`cannot ${tried}: ${libbpf.errorText(libbpf.errno())}`);
}

export function setOption(fd: number, level: number, name: number, value: number | Buffer): void {
  let bytes = value;
  if (typeof bytes === 'number') {
    bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value as number);
  }
  const result = libbpf.setSocketOption(fd, level, name, bytes, bytes.length);
  checkErrno(result, `set option ${level}/${name} of a socket`);
}

/** Its packets leave by the link or not at all, and it hears none of others. */
export function bindToLink(fd: number, link: string): void {
  const name = Buffer.from(`${link}\0`);
  const result = libbpf.setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
  checkErrno(result, `bind a socket to ${link}`);
}
