// The hashes of sh, dh and mh, and mh's table, as ipvs-semantics §2.7 and §2.8 tell them.

import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address as one number; IPv6: its four words xored. */
export function addressWord(address: string): number {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  if (isIPv4(address)) return bytes.readUInt32BE();
  return [0, 4, 8, 12].reduce((word, at) => word ^ bytes.readUInt32BE(at), 0) >>> 0;
}

export const hash8 = (value: number): number => Math.imul(value, 0x61c88647) >>> 24;

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const turnLeft = (x: bigint, bits: bigint): bigint => wrap(x << bits) | (x >> (64n - bits));

/** SipHash with one round a block and three at the end, of any bytes; step by step as its paper. */
function sipHash13(bytes: Buffer, key0: bigint, key1: bigint): bigint {
  const text = 'somepseudorandomlygeneratedbytes';
  const start = [0, 8, 16, 24].map((at) => Buffer.from(text).readBigUInt64BE(at));
  let [v0 = 0n, v1 = 0n, v2 = 0n, v3 = 0n] = start.map((word, i) => word ^ (i % 2 ? key1 : key0));
  const round = () => {
    v0 = wrap(v0 + v1);
    v2 = wrap(v2 + v3);
    v1 = turnLeft(v1, 13n) ^ v0;
    v3 = turnLeft(v3, 16n) ^ v2;
    v0 = turnLeft(v0, 32n);
    v2 = wrap(v2 + v1);
    v0 = wrap(v0 + v3);
    v1 = turnLeft(v1, 17n) ^ v2;
    v3 = turnLeft(v3, 21n) ^ v0;
    v2 = turnLeft(v2, 32n);
  };
  // Whole words, the last one filled up with zeros and the length.
  const padded = Buffer.alloc(Math.floor(bytes.length / 8) * 8 + 8);
  bytes.copy(padded);
  padded[padded.length - 1] = bytes.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at);
    v3 ^= word;
    round();
    v0 ^= word;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 3; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

function mhHash(value: number, key: bigint): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return Number(BigInt.asUintN(32, sipHash13(bytes, key, key)));
}

export const mhPlaces = 4093;
/** Where a client's value leads to. */
export const mhPlace = (value: number): number => mhHash(value, 2654435761n) % mhPlaces;

interface Share {
  address: string;
  lastWeight: number;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

function turnsOf(gateways: Share[], { lastWeight }: Share): number {
  const weights = gateways.map((gateway) => gateway.lastWeight);
  const divisor = weights.reduce(greatestDivisor, 0);
  const heaviest = Math.max(...weights) / divisor;
  let turns = lastWeight / divisor;
  for (let rest = heaviest; rest >= 64; rest = Math.floor(rest / 2)) turns = Math.floor(turns / 2);
  return turns || Number(lastWeight !== 0);
}

/** Who has each place; newest gateway first, as the list. Empty where nobody has a share. */
export function mhTable<T extends Share>(gateways: T[]): T[] {
  const queues = gateways
    .filter(({ lastWeight }) => lastWeight > 0)
    .map((gateway) => {
      const value = addressWord(gateway.address);
      const offset = mhHash(value, 2654435761n) % mhPlaces;
      const skip = (mhHash(value, 2654446892n) % (mhPlaces - 1)) + 1;
      // The place that this gateway wants most after n others.
      const wanted = (n: number) => (offset + n * skip) % mhPlaces;
      return { gateway, turns: turnsOf(gateways, gateway), wanted, n: 0 };
    });
  const table: T[] = [];
  let taken = 0;
  while (queues.length > 0) {
    for (const queue of queues) {
      for (let turn = 0; turn < queue.turns; turn++) {
        while (table[queue.wanted(queue.n)] !== undefined) queue.n += 1;
        table[queue.wanted(queue.n)] = queue.gateway;
        taken += 1;
        if (taken === mhPlaces) return table;
      }
    }
  }
  return table;
}
