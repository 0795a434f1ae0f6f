// mh's table, place by place as IPVS fills it (Maglev): each gateway has an order of its own in which
// it wants the places, and they take turns. So when one goes, hardly a place changes among the others.

import { addressToWords } from '../model/address.ts';

export interface MaglevGateway {
  address: string;
  port: number;
  /** The newest weight that was not 0: a drained gateway keeps its places. */
  lastWeight: number;
  slot: number;
}

const mask64 = (1n << 64n) - 1n;
const rotate = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & mask64;

function sipRound(v: [bigint, bigint, bigint, bigint]): void {
  v[0] = (v[0] + v[1]) & mask64;
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[0] = rotate(v[0], 32n);
  v[2] = (v[2] + v[3]) & mask64;
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = (v[0] + v[3]) & mask64;
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = (v[2] + v[1]) & mask64;
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[2] = rotate(v[2], 32n);
}

/** SipHash-1-3 of the four bytes of a value, under the key (key, key); its low 32 bits. */
export function maglevHash(value: number, key: bigint): number {
  const block = (4n << 56n) | BigInt(value >>> 0);
  const v: [bigint, bigint, bigint, bigint] = [
    0x736f6d6570736575n ^ key,
    0x646f72616e646f6dn ^ key,
    0x6c7967656e657261n ^ key,
    0x7465646279746573n ^ key ^ block,
  ];
  sipRound(v);
  v[0] ^= block;
  v[2] ^= 0xffn;
  for (let i = 0; i < 3; i++) sipRound(v);
  return Number((v[0] ^ v[1] ^ v[2] ^ v[3]) & 0xffffffffn);
}

/** IPVS's two keys; look-ups (bpf/sched_mh.h) hash with the first. */
export const maglevKeys = { offset: 2654435761n, skip: 2654446892n } as const;

/** IPv4: its word; IPv6: its four words xored. */
function foldAddress(address: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = addressToWords(address);
  return a === 0 && b === 0 && c === 0xffff ? d : a ^ b ^ c ^ d;
}

/** Where a gateway's order begins, and how far it is from each place to the next. */
export function maglevOrder(
  { address, port }: Pick<MaglevGateway, 'address' | 'port'>,
  places: number,
): { offset: number; skip: number } {
  const value = foldAddress(address) + port;
  return {
    offset: maglevHash(value, maglevKeys.offset) % places,
    skip: (maglevHash(value, maglevKeys.skip) % (places - 1)) + 1,
  };
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** IPVS keeps the six highest bits of a weight: more turns in a row would only make it coarse. */
const turnBits = 6;

/** How many places in a row each gateway takes when it is its turn. */
function turnsOf(weights: number[]): number[] {
  const divisor = weights.reduce(greatestDivisor, 0);
  if (divisor === 0) return weights;
  const bits = 32 - Math.clz32(Math.max(...weights) / divisor);
  const shift = Math.max(0, bits - turnBits);
  return weights.map((weight) => (weight / divisor) >>> shift || Number(weight > 0));
}

/**
 * The slot of each place; 0 = nobody's, where no gateway has a share. Newest gateway first, as
 * the service's list. places: a prime.
 */
export function maglevTable(gateways: MaglevGateway[], places: number): number[] {
  const table = Array<number>(places).fill(0);
  const turns = turnsOf(gateways.map(({ lastWeight }) => lastWeight));
  const orders = gateways.map((gateway, i) => ({
    slot: gateway.slot,
    turns: turns[i] ?? 0,
    ...maglevOrder(gateway, places),
  }));
  const takers = orders.filter(({ turns }) => turns > 0);
  let free = takers.length === 0 ? 0 : places;
  while (free > 0) {
    for (const taker of takers) {
      for (let turn = 0; turn < taker.turns && free > 0; turn++) {
        while (table[taker.offset] !== 0) taker.offset = (taker.offset + taker.skip) % places;
        table[taker.offset] = taker.slot;
        free--;
      }
    }
  }
  return table;
}
