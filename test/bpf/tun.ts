// A link without a link header, as tun, WireGuard and PPP have: this process is its other end.

import assert from 'node:assert/strict';
import { existsSync, openSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import { run, tryRun } from '../../src/util/run.ts';
import type { Packet } from './packet.ts';

const device = '/dev/net/tun';
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *arg)');

/** Why there are none here, or false. */
export function lacksTun(): string | false {
  // Nothing loads the module by itself where udev does not run.
  tryRun(['modprobe', 'tun']);
  return !existsSync(device) && `no ${device}`;
}

export class Tun {
  readonly #fd: number;

  /** It lives as long as this process. */
  constructor(name: string) {
    this.#fd = openSync(device, 'r+');
    const request = Buffer.alloc(40); // struct ifreq
    request.write(name);
    request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
    assert.equal(ioctl(this.#fd, TUNSETIFF, request), 0, `make ${name}`);
    run(['ip', 'link', 'set', name, 'addrgenmode', 'none', 'multicast', 'off', 'up']);
  }

  /** The link receives it. */
  receive(packet: Pick<Packet, 'bytes'>): void {
    writeSync(this.#fd, packet.bytes.subarray(14));
  }
}
