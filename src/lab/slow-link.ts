// What is routed to the link slow0 comes out of it again so many milliseconds later: netem for kernels
// without it. A program of its own (`node slow-link.ts MS`): writes `ready`, and lives until it is killed.

import { openSync, read, write } from 'node:fs';
import koffi from 'koffi';
import { run } from '../util/run.ts';

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;
const name = 'slow0';
const delayMs = Number(process.argv[2]);

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *arg)');
const fd = openSync('/dev/net/tun', 'r+');
const request = Buffer.alloc(40); // struct ifreq
request.write(name);
request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`cannot make ${name}`);
// The packets' source lies behind another link.
for (const link of ['all', name]) run(['sysctl', '-qw', `net.ipv4.conf.${link}.rp_filter=0`]);
run(['ip', 'link', 'set', name, 'addrgenmode', 'none', 'multicast', 'off', 'up']);

const buffer = Buffer.alloc(65536);

function next(): void {
  read(fd, buffer, 0, buffer.length, null, (error, length) => {
    if (error) throw error;
    const packet = Buffer.from(buffer.subarray(0, length));
    // A packet that the stack refuses is lost, as on any line.
    setTimeout(() => write(fd, packet, 0, length, null, () => {}), delayMs);
    next();
  });
}

next();
process.stdout.write('ready\n');
