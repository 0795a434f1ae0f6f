// One end of a tunnel over UDP, as WireGuard is one without its ciphers: a link without a link header. A program
// of its own (`node tunnel-end.ts LINK FROM TO`): writes `ready`, and lives until it is killed.

import { createSocket } from 'node:dgram';
import { openSync, read, write } from 'node:fs';
import koffi from 'koffi';
import { run } from '../../src/util/run.ts';

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;
const port = 5000;
const [name = '', from = '', to = ''] = process.argv.slice(2);

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *arg)');
const fd = openSync('/dev/net/tun', 'r+');
const request = Buffer.alloc(40); // struct ifreq
request.write(name);
request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`cannot make ${name}`);
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
