// A link without a link header, as tun, WireGuard and PPP have: this process is its other end.

import { existsSync, writeSync } from 'node:fs';
import { openTun, tunDevice } from '../../src/lab/tun.ts';
import { run, tryRun } from '../../src/util/run.ts';
import type { Packet } from './packet.ts';

/** Why there are none here, or false. */
export function lacksTun(): string | false {
  // Nothing loads the module by itself where udev does not run.
  tryRun(['modprobe', 'tun']);
  return !existsSync(tunDevice) && `no ${tunDevice}`;
}

export class Tun {
  readonly #fd: number;

  /** It lives as long as this process. */
  constructor(name: string) {
    this.#fd = openTun(name);
    run(['ip', 'link', 'set', name, 'addrgenmode', 'none', 'multicast', 'off', 'up']);
  }

  /** The link receives it. */
  receive(packet: Pick<Packet, 'bytes'>): void {
    writeSync(this.#fd, packet.bytes.subarray(14));
  }
}
