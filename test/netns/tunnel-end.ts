// One end of a tunnel over UDP, as WireGuard is one without its ciphers: a link without a link header. A program
// of its own (`node tunnel-end.ts LINK FROM TO`): writes `ready`, and lives until it is killed.

import { createSocket } from 'node:dgram';
import { read, write } from 'node:fs';
import { openTun } from '../../src/lab/tun.ts';
import { run } from '../../src/util/run.ts';

const port = 5000;
const [name = '', from = '', to = ''] = process.argv.slice(2);

const fd = openTun(name);
run(['ip', 'link', 'set', name, 'mtu', '1400', 'addrgenmode', 'none', 'multicast', 'off', 'up']);

const socket = createSocket('udp4');
// A packet that the stack refuses is lost, as on any line.
socket.on('message', (packet) => write(fd, packet, 0, packet.length, null, () => {}));

const buffer = Buffer.alloc(65536);
function next(): void {
  read(fd, buffer, 0, buffer.length, null, (error, length) => {
    if (error) throw error;
    socket.send(Buffer.from(buffer.subarray(0, length)), port, to, next);
  });
}

socket.bind(port, from, () => {
  next();
  process.stdout.write('ready\n');
});
