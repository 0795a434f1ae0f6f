// A network namespace of this test process's own, and links in it.

import assert from 'node:assert/strict';
import koffi from 'koffi';
import { interfaceIndex } from '../../src/kernel/libbpf.ts';
import { run } from '../../src/util/run.ts';
import { mac } from './packet.ts';
import { gatewayAddress } from './service.ts';

const CLONE_NEWNET = 0x40000000;
const AF_PACKET = 17;
const SOCK_RAW = 3;

const libc = koffi.load('libc.so.6');

/** Forks of this process (ip, nft, …) are in its namespace too; its other threads are not. */
export function enterNamespace(): void {
  const unshare = libc.func('int unshare(int flags)');
  assert.equal(unshare(CLONE_NEWNET), 0, 'a network namespace of its own: it needs root');
}

export function makeLinks(): void {
  const link = (name: string): string[] => [
    `link add ${name} type veth peer name ${name}p`,
    ...[name, `${name}p`].map((end) => `link set ${end} addrgenmode none multicast off arp off up`),
  ];
  const addresses = [1, 2].flatMap((net) => [
    `address add ${gatewayAddress(net * 100 - 99).replace(/1$/, '254')}/24 dev wan${net}`,
    `address add 2001:db8:${net}::ffff/64 dev wan${net} nodad`,
  ]);
  const lines = ['link set lo up', ...['lan0', 'wan1', 'wan2'].flatMap(link), `link set lan0 address ${mac.lan}`, ...addresses];
  run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Puts a frame on a link: its other end receives it. */
export function sendFrame(link: string, frame: Buffer): void {
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const sendto = libc.func(
    'intptr sendto(int fd, void *data, size_t size, int flags, void *to, uint32 toSize)',
  );
  const close = libc.func('int close(int fd)');
  const to = Buffer.alloc(20); // struct sockaddr_ll
  to.writeUInt16LE(AF_PACKET, 0);
  to.writeInt32LE(interfaceIndex(link), 4);
  const fd = socket(AF_PACKET, SOCK_RAW, 0);
  const sent = sendto(fd, frame, frame.length, 0, to, to.length);
  close(fd);
  assert.equal(sent, frame.length, `send a frame on ${link}`);
}
