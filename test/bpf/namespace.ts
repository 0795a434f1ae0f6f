// A network namespace of this test process's own, and links in it.

import assert from 'node:assert/strict';
import { closeFd } from '../../src/kernel/libbpf.ts';
import { run } from '../../src/util/run.ts';
import { mac } from './packet.ts';
import { libc, linkAddress, openPacketSocket, SOL_PACKET, setOption } from './packet-socket.ts';
import { gatewayAddress } from './service.ts';

const CLONE_NEWNET = 0x40000000;
const PACKET_QDISC_BYPASS = 20;

/** Forks of this process (ip, nft, …) are in its namespace too; its other threads are not. */
export function enterNamespace(): void {
  const unshare = libc.func('int unshare(int flags)');
  assert.equal(unshare(CLONE_NEWNET), 0, 'a network namespace of its own: it needs root');
}

/** Where a test sends a frame that lan0 is to receive, or to send. */
export const wires = { ingress: 'lan0p', egress: 'tag0' } as const;

/** What comes in on tag0p goes out on lan0: a VLAN's packet, with its tag beside it, as from a VLAN's link. */
function redirectToLan(): void {
  run(['tc', 'qdisc', 'add', 'dev', 'tag0p', 'clsact']);
  const all = ['ingress', 'pref', '1', 'protocol', 'all', 'u32', 'match', 'u32', '0', '0'];
  const redirect = ['action', 'mirred', 'egress', 'redirect', 'dev', 'lan0'];
  run(['tc', 'filter', 'add', 'dev', 'tag0p', ...all, ...redirect]);
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
  const lines = [
    'link set lo up',
    ...['lan0', 'tag0', 'wan1', 'wan2'].flatMap(link),
    `link set lan0 address ${mac.lan}`,
    ...addresses,
  ];
  run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  redirectToLan();
}

const sendto = libc.func(
  'intptr sendto(int fd, void *data, size_t size, int flags, void *to, uint32 toSize)',
);

/** Puts frames on links, whose other ends receive them. To close it takes the kernel some 10 ms. */
export class FrameSender {
  readonly #fd: number;

  constructor() {
    this.#fd = openPacketSocket();
    // Straight to the device: the link's own egress program is not to count it.
    setOption(this.#fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
  }

  send(link: string, frame: Buffer): void {
    const to = linkAddress(link);
    const sent = sendto(this.#fd, frame, frame.length, 0, to, to.length);
    assert.equal(sent, frame.length, `send a frame on ${link}`);
  }

  close(): void {
    closeFd(this.#fd);
  }
}

export function sendFrame(link: string, frame: Buffer): void {
  const sender = new FrameSender();
  try {
    sender.send(link, frame);
  } finally {
    sender.close();
  }
}
