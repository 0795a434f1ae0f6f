// What takes the fast path and what does not, and when it ends.

import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { makeRoom } from '../../src/kernel/fastpath.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';
import { loadAnew } from '../../src/kernel/upgrade.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { FastBed, type Place } from './fast-bed.ts';
import { Flow } from './flow.ts';
import { programsOf } from './programs-of.ts';
import type { PacketOptions } from './real-packet.ts';

const { HOOK_INGRESS, HOOK_UPLINK_IN } = abi.hook;
const SYN = 0x02;
const ACK = 0x10;
const FIN = 0x11;
const RST = 0x14;
const SYN_ACK = 0x12;

const fast = new FastBed();
after(() => fast.close());

const client = '10.0.0.2';
const server = '203.0.113.9';
let port = 5000;
let place: Place = 'wan1p';

const up = (given: Partial<PacketOptions> = {}): PacketOptions => ({
  ...{ family: 4, protocol: 'tcp', source: client, destination: server },
  ...{ sourcePort: port, destinationPort: 80, flags: ACK },
  ...given,
});

/** To wan1's own address, or where there is no SNAT to the client. */
const down = (given: Partial<PacketOptions> = {}): PacketOptions => ({
  ...{ family: 4, protocol: 'tcp', source: server },
  ...{ destination: place === 'wan1p' ? '192.0.2.254' : client },
  ...{ sourcePort: 80, destinationPort: port, flags: ACK },
  ...given,
});

/** Whether a packet takes it. */
async function takes(from: Place, packet: PacketOptions): Promise<boolean> {
  const hook = from === 'lan0p' ? HOOK_INGRESS : HOOK_UPLINK_IN;
  const before = fast.fast(hook, abi.verdict.VERDICT_FAST);
  await fast.pass(from, packet);
  return fast.fast(hook, abi.verdict.VERDICT_FAST) > before;
}

/** A connection whose next packets take it, both ways. */
async function openFast(): Promise<void> {
  port++;
  place = (await fast.pass('lan0p', up({ flags: SYN }))).at;
  await fast.pass(place, down({ flags: SYN_ACK }));
  for (let i = 0; i < 2; i++) {
    await fast.pass('lan0p', up());
    await fast.pass(place, down());
  }
  assert.deepEqual([await takes('lan0p', up()), await takes(place, down())], [true, true]);
}

/** Longer than conntrack is not asked. */
async function untilNormal(from: Place, packet: () => PacketOptions): Promise<void> {
  const end = performance.now() + 500;
  while (await takes(from, packet()))
    assert.ok(performance.now() < end, 'it takes the normal path after half a second');
}

beforeEach(async () => {
  fast.allow(true);
  await openFast();
});

describe('the normal path is taken', () => {
  for (const [what, given] of [
    ['by another DSCP', { tos: 0xb8 }],
    ['by what begins, ends or resets', { flags: FIN }],
    ['by a reset', { flags: RST }],
  ] as [string, Partial<PacketOptions>][])
    test(what, async () => assert.equal(await takes('lan0p', up(given)), false));

  test('by what is too long for the next link', async () => {
    run(['ip', 'link', 'set', place.slice(0, -1), 'mtu', '1000']);
    fast.allow(true);
    for (let i = 0; i < 2; i++) await fast.pass('lan0p', up());
    assert.equal(await takes('lan0p', up({ payload: Buffer.alloc(900) })), true);
    // The sender is told by ICMP.
    const { at } = await fast.pass('lan0p', up({ payload: Buffer.alloc(1200) }));
    assert.equal(at, 'lan0p');
    run(['ip', 'link', 'set', place.slice(0, -1), 'mtu', '1500']);
  });

  test('by what is too long by an IPv6 router’s advertisement', async () => {
    const setMtu = (mtu: number): void => {
      for (const link of ['wan1', 'wan2'])
        run(['sysctl', '-qw', `net.ipv6.conf.${link}.mtu=${mtu}`]);
    };
    const [lan, far] = ['fd00::2', '2001:db8:ff::9'];
    const there = { family: 6, source: lan, destination: far } as const;
    setMtu(1300);
    place = (await fast.pass('lan0p', up({ ...there, flags: SYN }))).at;
    const outside = place === 'wan1p' ? '2001:db8:1::ffff' : lan;
    const back = { family: 6, source: far, destination: outside } as const;
    await fast.pass(place, down({ ...back, flags: SYN_ACK }));
    for (let i = 0; i < 2; i++) {
      await fast.pass('lan0p', up(there));
      await fast.pass(place, down(back));
    }
    assert.equal(await takes('lan0p', up({ ...there, payload: Buffer.alloc(1200) })), true);
    const { at } = await fast.pass('lan0p', up({ ...there, payload: Buffer.alloc(1300) }));
    assert.equal(at, 'lan0p');
    setMtu(1500);
  });

  test('while nobody watches', async () => {
    fast.allow(false);
    assert.equal(await takes('lan0p', up()), false);
  });

  test('once, when everything is learnt anew', async () => {
    fast.allow(true);
    assert.deepEqual([await takes('lan0p', up()), await takes('lan0p', up())], [false, true]);
    assert.deepEqual([await takes(place, down()), await takes(place, down())], [false, true]);
  });

  test('once, when there must be more room', async () => {
    const { director } = fast.bed;
    const connections = director.settings.connectionLimit;
    const room = makeRoom(director, connections);
    assert.equal(room, 2 * connections);
    assert.deepEqual([await takes('lan0p', up()), await takes('lan0p', up())], [false, true]);
    assert.deepEqual([await takes(place, down()), await takes(place, down())], [false, true]);
    // Enough now.
    assert.equal(makeRoom(director, connections), room);
    assert.equal(await takes('lan0p', up()), true);
  });
});

describe('it ends', () => {
  test('with the next packet when the gateway is down', async () => {
    const { director } = fast.bed;
    const ids = [...director.maps.gateways.all()].flatMap(([id, { ifindex }]) =>
      ifindex ? [id] : [],
    );
    setDown(director, ids, true);
    assert.equal(await takes('lan0p', up()), false);
    setDown(director, ids, false);
  });

  test('when conntrack has forgotten the connection', async () => {
    run(['conntrack', '-D', '-p', 'tcp', '--orig-src', client, '--orig-port-src', String(port)]);
    await untilNormal('lan0p', up);
  });

  test('when its service may no more', async () => {
    fast.setService('off');
    await untilNormal('lan0p', up);
    await untilNormal(place, down);
    fast.setService('on');
  });

  test('for careful services alone when rules need each packet', async () => {
    fast.setService('careful');
    fast.allow(true, 1);
    for (let i = 0; i < 3; i++) assert.equal(await takes('lan0p', up()), false);
    fast.setService('on');
    await fast.pass('lan0p', up());
    assert.equal(await takes('lan0p', up()), true);
  });

  test('with the connection, and leaves no entry', async () => {
    const mine = (): number => fast.flows('fast_up').length + fast.flows('fast_down').length;
    const before = mine();
    await fast.pass('lan0p', up({ flags: FIN }));
    assert.equal(mine(), before - 2);
  });
});

test('a ping beside it is one connection', async () => {
  const { bed } = fast;
  const ping = new Flow({ protocol: 'icmp', client, server, port: 77 });
  const first = bed.run('director', ping.up(), 1);
  assert.equal(first.verdict, 'NEW');
  for (let i = 0; i < 2; i++) assert.equal(bed.run('ingress', ping.up()).verdict, 'KNOWN');
});

test('an upgrade puts the new program on the routes, and the connection takes it again', async () => {
  const { director } = fast.bed;
  const uplinkOut = (): number[] => programsOf(director, 'lvsj_uplink_out');
  const [old] = uplinkOut();
  loadAnew(director);
  await waitUntil('the old program to go', () => !uplinkOut().includes(old!));
  assert.equal(uplinkOut().length, 1);
  fast.allow(true);
  assert.deepEqual([await takes('lan0p', up()), await takes('lan0p', up())], [false, true]);
});

describe('a new rule', () => {
  test('stops what the fast path let through, once everything is learnt anew', async () => {
    run(['nft', 'add', 'table', 'ip', 'stop']);
    const hook = '{ type filter hook forward priority 0; }';
    run(['nft', 'add', 'chain', 'ip', 'stop', 'forward', hook]);
    run(['nft', 'add', 'rule', 'ip', 'stop', 'forward', 'ip', 'saddr', client, 'counter', 'drop']);
    fast.allow(true);
    fast.send('lan0p', up());
    fast.send('lan0p', up());
    const listing = run(['nft', 'list', 'chain', 'ip', 'stop', 'forward']);
    assert.match(listing, /counter packets 2 /);
    run(['nft', 'delete', 'table', 'ip', 'stop']);
  });
});
