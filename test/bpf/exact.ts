// Are the counters what the connection table says? The programs count without locks, so that
// every test asks this at its end.

import assert from 'node:assert/strict';
import * as abi from '../../src/kernel/abi.gen.ts';
import type { Bed } from './bed.ts';

const { connState, connWord } = abi;

type Tables = Pick<Bed, 'connections' | 'director'>;

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

/** An address as the key of a controlled connection's template has it. */
function masked(address: number[], netmask: number): string {
  const bits = BigInt(`0x${address.map((word) => word.toString(16).padStart(8, '0')).join('')}`);
  // IPv4's mask is a number whose bytes lie in wire order.
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(netmask);
  const mask = isV4(address)
    ? ((1n << 96n) - 1n) * (1n << 32n) + BigInt(bytes.readUInt32BE())
    : ((1n << BigInt(netmask)) - 1n) << BigInt(128 - netmask);
  return (bits & mask).toString(16);
}

const whole = (address: number[]): string => masked(address, isV4(address) ? 0xffffffff : 128);

/** What a template's key holds: the client, the server, or both. */
function keyText(
  { client, server }: abi.ConnKey,
  persistence: number,
  text: (address: number[]) => string,
): string {
  const { PERSISTENCE_SOURCE, PERSISTENCE_DESTINATION } = abi.persistenceKey;
  const ofClient = persistence === PERSISTENCE_DESTINATION ? '' : text(client.word);
  const ofServer = persistence === PERSISTENCE_SOURCE ? '' : text(server.word);
  return `${persistence} ${isV4(client.word) ? 4 : 6} ${ofClient} ${ofServer}`;
}

/** The key of the template through which a connection was made, as keyText has it. */
function controllerOf(key: abi.ConnKey, { word, netmask }: abi.Conn): string {
  const persistence = (word & connWord.WORD_PERSISTENCE) >> connWord.WORD_PERSISTENCE_SHIFT;
  return keyText(key, persistence, (address) => masked(address, netmask));
}

/** Templates that have not as many children as the table, by their key. */
function wrongChildren(bed: Tables): string[] {
  const entries = bed.connections;
  const slots = bed.director.maps.slots.all(bed.director.settings.slotsUsed);
  const fwmarkOf = (conn: abi.Conn) => slots.get(conn.slot)?.fwmark;
  const children = new Map<string, number>();
  for (const [key, conn] of entries) {
    if (isTemplate(conn) || !(conn.word & connWord.WORD_CONTROLLED)) continue;
    const template = `${fwmarkOf(conn)} ${controllerOf(key, conn)}`;
    children.set(template, (children.get(template) ?? 0) + 1);
  }
  return entries.flatMap(([key, conn]) => {
    if (!isTemplate(conn)) return [];
    const template = `${fwmarkOf(conn)} ${keyText(key, key.persistence, whole)}`;
    const want = children.get(template) ?? 0;
    return conn.children === want ? [] : [`${template}: ${conn.children}, not ${want}`];
  });
}

/** Every counter of connections equals what the table holds. */
export function assertExact(bed: Tables): void {
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
