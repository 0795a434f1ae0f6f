// Frames with what a network card says beside them (struct virtio_net_hdr): to be segmented, checksum still
// to be made. Sent on one end of a veth pair, they come in at the other like a card's.

import assert from 'node:assert/strict';
import { closeFd } from '../../src/kernel/libbpf.ts';
import {
  libc,
  linkAddress,
  linkAddressLength,
  openPacketSocket,
  SOL_PACKET,
  setOption,
} from './packet-socket.ts';

const ETH_P_ALL = 0x0003;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const PACKET_VNET_HDR = 15;
const PACKET_OUTGOING = 4;
const MSG_DONTWAIT = 0x40;
const packetTypeOffset = 10;

/** struct virtio_net_hdr: what a frame on this socket begins with. */
export const offloadLength = 10;

export interface Offload {
  /** The checksum lies at start + offset, and holds the pseudo header's alone. */
  checksum?: { start: number; offset: number };
  /** Bytes of payload in a segment, and whose segments they are. */
  segments?: { size: number; headers: number; kind: 'tcp4' | 'tcp6' };
}

const kinds = { tcp4: 1, tcp6: 4 } as const;

export function formatOffload({ checksum, segments }: Offload): Buffer {
  const header = Buffer.alloc(offloadLength);
  if (checksum) {
    header.writeUInt8(1, 0);
    header.writeUInt16LE(checksum.start, 6);
    header.writeUInt16LE(checksum.offset, 8);
  }
  if (segments) {
    header.writeUInt8(kinds[segments.kind], 1);
    header.writeUInt16LE(segments.headers, 2);
    header.writeUInt16LE(segments.size, 4);
  }
  return header;
}

const bind = libc.func('int bind(int fd, void *address, uint32 size)');
const send = libc.func('intptr send(int fd, void *data, size_t size, int flags)');
const receive = libc.func(
  'intptr recvfrom(int fd, _Out_ void *data, size_t size, int flags, _Out_ void *from, _Inout_ uint32 *fromSize)',
);

/** One link's frames, both ways. */
export class RawSocket {
  readonly #fd: number;
  readonly #frame = Buffer.alloc(70_000);
  readonly #from = Buffer.alloc(linkAddressLength);

  constructor(link: string) {
    this.#fd = openPacketSocket();
    setOption(this.#fd, SOL_PACKET, PACKET_VNET_HDR, 1);
    setOption(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);
    const address = linkAddress(link, ETH_P_ALL);
    assert.equal(bind(this.#fd, address, address.length), 0, `listen on ${link}`);
  }

  /** The other end of the link receives it. */
  send(frame: Buffer, offload: Offload = {}): void {
    const all = Buffer.concat([formatOffload(offload), frame]);
    assert.equal(send(this.#fd, all, all.length, 0), all.length, 'send a frame');
  }

  /** The next frame that came in, with its offload header in front; undefined: none is there yet. */
  receive(): Buffer | undefined {
    for (;;) {
      const size = [linkAddressLength];
      const flags = MSG_DONTWAIT;
      const length = Number(
        receive(this.#fd, this.#frame, this.#frame.length, flags, this.#from, size),
      );
      if (length < 0) return undefined;
      if (this.#from.readUInt8(packetTypeOffset) !== PACKET_OUTGOING)
        return Buffer.from(this.#frame.subarray(0, length));
    }
  }

  close(): void {
    closeFd(this.#fd);
  }
}
