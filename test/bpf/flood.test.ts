// A million SYNs on a table for 65,536 connections: what was there lives on, what comes is still
// shared out, and nothing is left of it in the end.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { assertExact } from './exact.ts';
import { Flood, gatewayIn, statesOf } from './flood.ts';
import { Flow, flows } from './flow.ts';

const { connState } = abi;
const limit = 65_536;
const million = 1_000_000;
const perStep = 50_000;
const gateways = 4;
/** Two seconds of the timer's, and a busy machine. */
const deadlineMs = 15_000;

const flood = new Flood(limit, { gateways, persistence: 0 });
/** Each client has a template too: with its connection it takes two places. */
const persistent = new Flood(limit / 16, { gateways, persistence: 1 });
after(() => {
  for (const { drive } of [flood, persistent]) drive.close();
});

const established = flows(200);
const homes = established.map((flow) => {
  const { mark } = flood.run('director', flow.up('S'));
  flood.run('egress', flow.down('SA'));
  flood.run('ingress', flow.up('A'));
  return gatewayIn(mark);
});
const states = (): number[] => statesOf(flood.connections, established);
const all = (state: number): number[] => established.map(() => state);

/** A packet of each old connection. */
function assertKnown(flags: string): void {
  const before = flood.counted('ingress').KNOWN!;
  const now = established.map((flow) => gatewayIn(flood.run('ingress', flow.up(flags)).mark));
  assert.deepEqual(now, homes);
  assert.equal(flood.counted('ingress').KNOWN! - before, established.length);
}

const slotTotals = ({ director }: Flood, what: 'active' | 'inactive' | 'persistent'): number[] => {
  const { maps, settings } = director;
  return [...maps.slotCounts.all(settings.slotsUsed).values()].map((counts) => counts[what]);
};
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

test('connections that were there go on all the while, and the table keeps its bound', () => {
  assert.deepEqual(states(), all(connState.CONN_ESTABLISHED));
  for (let step = 1; flood.sent < million; step++) {
    flood.send(perStep);
    assertKnown('A');
    assert.equal(flood.entries, Math.min(limit, established.length + flood.sent), `step ${step}`);
  }
});

test('every SYN got a gateway, each gateway its share, and each that found no room was counted', () => {
  const { NEW, TABLE_FULL, ...rest } = flood.counted('director');
  assert.equal(NEW, limit);
  assert.equal(TABLE_FULL, flood.sent + established.length - limit);
  assert.equal(sum(Object.values(rest)), 0);
  const { maps, settings } = flood.director;
  const shares = [...maps.slotStats(settings.slotsUsed).values()].map((stats) => stats.connections);
  const share = BigInt(flood.sent + established.length) / BigInt(gateways);
  for (const connections of shares.slice(1)) assert.ok(connections - share <= 1n, `${shares}`);
  assert.equal(shares.length, gateways + 1);
});

test('in a full table old connections move from state to state', () => {
  assertKnown('FA');
  assert.deepEqual(states(), all(connState.CONN_CLOSE_WAIT));
  assert.deepEqual(sum(slotTotals(flood, 'inactive')), established.length);
  assert.deepEqual(sum(slotTotals(flood, 'active')), limit - established.length);
  assertExact(flood);
});

test('a SYN that finds no room goes on by a gateway', () => {
  const flow = new Flow({ port: 9 });
  const { retval, mark } = flood.run('director', flow.up('S'));
  assert.equal(retval, 128);
  assert.ok(gatewayIn(mark) >= 1 && gatewayIn(mark) <= gateways, `mark ${mark}`);
});

test('templates count for the bound too', () => {
  persistent.send(perStep);
  assert.equal(persistent.entries, limit / 16);
  const { NEW, TABLE_FULL } = persistent.counted('director');
  assert.ok(NEW! >= limit / 32 - 1 && NEW! < limit / 16, `${NEW}`);
  assert.equal(NEW! + TABLE_FULL!, persistent.sent);
  assertExact(persistent);
  persistent.setTimeouts(0);
});

test('when the flood is over its connections go, the others stay, and then there is room again', async () => {
  flood.setTimeouts(900, { [connState.CONN_SYN_RECV]: 0 });
  await waitUntil('the end of the flood', () => flood.entries <= established.length, deadlineMs);
  assert.equal(flood.entries, established.length);
  assertKnown('A');
  assertExact(flood);
  flood.setTimeouts(900);
  const { NEW } = flood.counted('director');
  flood.run('director', new Flow({ port: 10 }).up('S'));
  assert.equal(flood.counted('director').NEW, NEW! + 1);
});

test('when all of it is over every counter is zero', async () => {
  flood.setTimeouts(0);
  for (const each of [flood, persistent]) {
    await waitUntil('an empty table', () => each.entries === 0, deadlineMs);
    assertExact(each);
    for (const what of ['active', 'inactive', 'persistent'] as const)
      assert.equal(sum(slotTotals(each, what)), 0, what);
  }
});
