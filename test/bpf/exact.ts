// Are the counters what the connection table says? The programs count without locks, so that
// every test asks this at its end.

import assert from 'node:assert/strict';
import * as abi from '../../src/kernel/abi.gen.ts';
import type { Bed } from './bed.ts';

const { connState, connWord } = abi;

interface SlotSums {
  active: number;
  inactive: number;
  persistent: number;
}

const stateOf = (conn: abi.Conn): number => conn.word & connWord.WORD_STATE;
const isTemplate = (conn: abi.Conn): boolean =>
  stateOf(conn) === connState.CONN_TEMPLATE || stateOf(conn) === connState.CONN_TEMPLATE_ASSURED;

function sumSlots(entries: abi.Conn[]): Map<number, SlotSums> {
  const slots = new Map<number, SlotSums>();
  for (const conn of entries) {
    // Counted out already.
    if (stateOf(conn) === connState.CONN_DEAD) continue;
    const sums = slots.get(conn.slot) ?? { active: 0, inactive: 0, persistent: 0 };
    slots.set(conn.slot, sums);
    if (isTemplate(conn)) sums.persistent++;
    else if (conn.word & connWord.WORD_ACTIVE) sums.active++;
    else sums.inactive++;
  }
  return slots;
}

const isV4 = ([a, b, c]: number[]): boolean => a === 0 && b === 0 && c === 0xffff;

/** The client part of the key of a controlled connection's template. */
function maskedClient(client: number[], netmask: number): string {
  const bits = BigInt(`0x${client.map((word) => word.toString(16).padStart(8, '0')).join('')}`);
  // IPv4's mask is a number whose bytes lie in wire order.
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(netmask);
  const mask = isV4(client)
    ? ((1n << 96n) - 1n) * (1n << 32n) + BigInt(bytes.readUInt32BE())
    : ((1n << BigInt(netmask)) - 1n) << BigInt(128 - netmask);
  return (bits & mask).toString(16);
}

const wholeClient = (client: number[]): string =>
  maskedClient(client, isV4(client) ? 0xffffffff : 128);

/** Templates that have not as many children as the table, by their key. */
function wrongChildren(bed: Bed): string[] {
  const entries = bed.connections;
  const slots = bed.director.maps.slots.all(bed.director.settings.slotsUsed);
  const fwmarkOf = (conn: abi.Conn) => slots.get(conn.slot)?.fwmark;
  const children = new Map<string, number>();
  for (const [key, conn] of entries) {
    if (isTemplate(conn) || !(conn.word & connWord.WORD_CONTROLLED)) continue;
    const template = `${fwmarkOf(conn)} ${maskedClient(key.client.word, conn.netmask)}`;
    children.set(template, (children.get(template) ?? 0) + 1);
  }
  return entries.flatMap(([key, conn]) => {
    if (!isTemplate(conn)) return [];
    const template = `${fwmarkOf(conn)} ${wholeClient(key.client.word)}`;
    const want = children.get(template) ?? 0;
    return conn.children === want ? [] : [`${template}: ${conn.children}, not ${want}`];
  });
}

/** Every counter of connections equals what the table holds. */
export function assertExact(bed: Bed): void {
  const entries = bed.connections;
  const { maps, settings } = bed.director;
  const sums = sumSlots(entries.map(([, conn]) => conn));
  for (const [slot, counts] of maps.slotCounts.all(settings.slotsUsed)) {
    const { active, inactive, persistent } = counts;
    const want = sums.get(slot) ?? { active: 0, inactive: 0, persistent: 0 };
    assert.deepEqual({ active, inactive, persistent }, want, `counts of slot ${slot}`);
  }
  assert.equal(maps.tableCounts.get(0)!.entries, entries.length, 'entries of the table');
  assert.deepEqual(wrongChildren(bed), [], 'children of templates');
}
