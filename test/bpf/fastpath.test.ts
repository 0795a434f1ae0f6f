// The fast path against the stack: random packets of random connections, each sent by both ways. What comes
// out is the same, byte for byte, and what the card is told of it, too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';
import * as abi from '../../src/kernel/abi.gen.ts';
import { FastBed, type Place } from './fast-bed.ts';
import { randomOf } from './random.ts';
import { type Conversation, nameOf, randomConversation, randomPacket } from './random-packet.ts';
import { offloadLength } from './raw-socket.ts';
import type { PacketOptions } from './real-packet.ts';

const count = 2000;
const seed = Number(process.env.FASTPATH_SEED ?? 20261128);
const random = randomOf(seed);
/** conntrack calls UDP a stream, and assured, if it still talks after two seconds. */
const streamMs = 2100;

const fast = new FastBed();
after(() => fast.close());

/** A connection, and how its packets look outside. */
interface Open {
  conversation: Conversation;
  place: Place;
  up: Pick<PacketOptions, 'source' | 'destination' | 'sourcePort' | 'destinationPort'>;
  down: Open['up'];
}

/** The source that a frame has. */
function sourceOf(frame: Buffer, family: 4 | 6): { address: string; port: number } {
  const at = offloadLength + 14;
  const [from, length, transport] = family === 4 ? [12, 4, 20] : [8, 16, 40];
  const bytes = [...frame.subarray(at + from, at + from + length)];
  return {
    address: ipaddr.fromByteArray(bytes).toString(),
    port: frame.readUInt16BE(at + transport),
  };
}

async function open(conversation: Conversation): Promise<Open> {
  const { family, protocol, client, port, server, serverPort } = conversation;
  const plain = { family, protocol, tos: conversation.dscp << 2 };
  const up = { source: client, destination: server, sourcePort: port, destinationPort: serverPort };
  const first = await fast.pass('lan0p', { ...plain, ...up, flags: 0x02 });
  const outside = sourceOf(first.frame, family);
  const down = {
    ...{ source: server, destination: outside.address },
    ...{ sourcePort: serverPort, destinationPort: outside.port },
  };
  await fast.pass(first.at, { ...plain, ...down, flags: 0x12 });
  await fast.pass('lan0p', { ...plain, ...up, flags: 0x10 });
  return { conversation, place: first.at, up, down };
}

interface Sent {
  place: Place;
  packet: PacketOptions;
}

/** Both directions' packets. */
const packetsOf = ({ conversation, place, up, down }: Open): Sent[] => [
  { place: 'lan0p', packet: randomPacket(random, conversation, up) },
  { place, packet: randomPacket(random, conversation, down) },
];

async function passAll(sent: Sent[]): Promise<{ at: Place; frame: string }[]> {
  const out: { at: Place; frame: string }[] = [];
  for (const { place, packet } of sent) {
    const { at, frame } = await fast.pass(place, packet);
    out.push({ at, frame: frame.toString('hex') });
  }
  return out;
}

const { HOOK_INGRESS, HOOK_UPLINK_IN } = abi.hook;
const taken = (): number[] =>
  [HOOK_INGRESS, HOOK_UPLINK_IN].map((hook) => fast.fast(hook, abi.verdict.VERDICT_FAST));

describe(`${count} connections by chance (FASTPATH_SEED=${seed})`, { timeout: 60_000 }, () => {
  const all: Open[] = [];

  before(async () => {
    const names = new Set<string>();
    while (all.length < count) {
      const conversation = randomConversation(random);
      if (names.has(nameOf(conversation))) continue;
      names.add(nameOf(conversation));
      all.push(await open(conversation));
    }
    // The kernel's own time, which nothing shortens.
    await setTimeout(streamMs);
    fast.allow(true);
    for (const each of all) await passAll(packetsOf(each));
    // The one that made UDP assured taught nothing yet, and some are too odd to.
    for (let round = 0; round < 2; round++) for (const each of all) await passAll(packetsOf(each));
  });

  test('are learnt, both directions of each', () => {
    assert.deepEqual(
      [fast.flows('fast_up').length, fast.flows('fast_down').length],
      [count, count],
    );
  });

  test('have other ports outside, some of them', () => {
    const changed = all.filter(({ up, down }) => up.sourcePort !== down.destinationPort);
    assert.ok(changed.length > 10, `${changed.length} have`);
  });

  test('get what the stack makes of their packets', async () => {
    const sent = all.flatMap(packetsOf);
    const before = taken();
    const byUs = await passAll(sent);
    assert.deepEqual(
      taken().map((now, i) => now - before[i]!),
      [count, count],
      'all of them took the fast path',
    );
    fast.allow(false);
    const byStack = await passAll(sent);
    for (const [i, { packet }] of sent.entries())
      assert.deepEqual(byUs[i], byStack[i], JSON.stringify(packet));
  });
});
