// Makes clients speak that say nothing of themselves: of connections through a gateway that is down, so that
// they meet the datapath, which resets them, long before their next question would.
//
// A segment in the server's name with a sequence number from outside the window is answered by an ACK at
// once (RFC 9293, 3.10.7.4), and changes nothing. Linux does that twice a second for each socket.

import { setImmediate } from 'node:timers/promises';
import { addressFromWords } from '../model/address.ts';
import type { Family } from '../model/table.ts';
import { gatewayMark, refused } from '../plan/objects.ts';
import * as abi from './abi.gen.ts';
import { decode } from './codec.ts';
import type { Director } from './director.ts';
import * as libbpf from './libbpf.ts';
import { BpfMap } from './map.ts';
import { formatSegment, socketAddress } from './segment.ts';

const { CONN_ESTABLISHED, CONN_FIN_WAIT, CONN_CLOSE_WAIT } = abi.connState;
/** Those of which a client holds a socket open. */
const open: number[] = [CONN_ESTABLISHED, CONN_FIN_WAIT, CONN_CLOSE_WAIT];
const tcp = 6;

/** As many as are sent before somebody else has the thread: a few milliseconds. */
const burst = 500;

/** Slots whose idle connections shall end: of these services, through these gateways. */
function slotsOf({ maps, settings }: Director, gateways: number[], fwmarks: number[]): Set<number> {
  const slots = [...maps.slots.all(settings.slotsUsed)].filter(
    ([, { gateway, fwmark, onDown }]) =>
      gateways.includes(gateway) && fwmarks.includes(fwmark) && onDown === abi.onDown.ON_DOWN_RESET,
  );
  return new Set(slots.map(([number]) => number));
}

const offsetOf = (name: keyof abi.Conn): number =>
  abi.connLayout.fields.find((field) => field.name === name)?.offset ?? 0;
const [wordAt, slotAt] = [offsetOf('word'), offsetOf('slot')];

/** Open TCP connections of the slots, a shard of the table at a time. */
async function* findOpen({ maps }: Director, slots: Set<number>): AsyncGenerator<abi.ConnKey> {
  for (const [, id] of maps.map('connections').entries()) {
    const shard = BpfMap.byId(id.readUInt32LE());
    try {
      for (const [key, value] of shard.entries()) {
        // Before it is decoded: most are others'.
        if (!slots.has(value.readUInt32LE(slotAt))) continue;
        const state = value.readUInt32LE(wordAt) & abi.connWord.WORD_STATE;
        const conn = decode(abi.connKeyLayout, key);
        if (conn.protocol === tcp && open.includes(state)) yield conn;
      }
    } finally {
      shard.close();
    }
    await setImmediate();
  }
}

/** A socket for whole packets of a family; SO_MARK keeps conntrack out of it: see src/plan/nft.ts. */
function openSocket(family: Family, mark: number): number {
  const [AF_INET, AF_INET6, SOCK_RAW_CLOEXEC, IPPROTO_RAW] = [2, 10, 3 | 0o2000000, 255];
  const [SOL_SOCKET, SO_MARK] = [1, 36];
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = libbpf.socket(domain, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
  const value = Buffer.alloc(4);
  value.writeUInt32LE(mark);
  libbpf.check(fd < 0 ? -libbpf.errno() : fd, 'open a raw socket');
  if (libbpf.setSocketOption(fd, SOL_SOCKET, SO_MARK, value, value.length) < 0)
    libbpf.check(-libbpf.errno(), 'mark packets of a raw socket');
  return fd;
}

class Poker {
  readonly #mark: number;
  readonly #sockets = new Map<Family, number>();

  constructor({ bits }: Director) {
    this.#mark = gatewayMark(refused, bits);
  }

  /** Two, half of all numbers apart: one of them lies outside, wherever the window is. */
  poke({ client, clientPort, server, serverPort }: abi.ConnKey): void {
    const to = { address: addressFromWords(client.word), port: clientPort };
    const from = { address: addressFromWords(server.word), port: serverPort };
    const family = to.address.includes(':') ? 6 : 4;
    const address = socketAddress(to.address);
    for (const sequence of [0, 0x8000_0000]) {
      const packet = formatSegment({ from, to, sequence });
      // A client that can't be reached misses nothing.
      libbpf.sendTo(this.#socket(family), packet, packet.length, 0, address, address.length);
    }
  }

  #socket(family: Family): number {
    const fd = this.#sockets.get(family) ?? openSocket(family, this.#mark);
    this.#sockets.set(family, fd);
    return fd;
  }

  close(): void {
    for (const fd of this.#sockets.values()) libbpf.closeFd(fd);
  }
}

/** How many connections: of these services, through these gateways, as far as they are reset. */
export async function pokeClients(
  director: Director,
  gateways: number[],
  fwmarks: number[],
): Promise<number> {
  const slots = slotsOf(director, gateways, fwmarks);
  if (slots.size === 0) return 0;
  const poker = new Poker(director);
  let count = 0;
  try {
    for await (const connection of findOpen(director, slots)) {
      poker.poke(connection);
      if (++count % burst === 0) await setImmediate();
    }
  } finally {
    poker.close();
  }
  return count;
}
