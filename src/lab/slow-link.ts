// What is routed to the link slow0 comes out of it again so many milliseconds later: netem for kernels
// without it. A program of its own (`node slow-link.ts MS`): writes `ready`, and lives until it is killed.

import { read, write } from 'node:fs';
import { run } from '../util/run.ts';
import { openTun } from './tun.ts';

const name = 'slow0';
const delayMs = Number(process.argv[2]);

const fd = openTun(name);
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
