// What becomes of connections when gateways fill up, are drained, deleted and come back.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow, flows } from './flow.ts';
import type { GatewayOptions } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const open = (flow: Flow, fwmark = 1): string => bed.direct(flow.up(), fwmark);
const verdictOf = (flow: Flow, flags = 'S'): string =>
  bed.run('director', flow.up(flags), 1).verdict;
const isAccepted = (flow: Flow): boolean => verdictOf(flow) === 'NEW';
const first = gatewayAddress(1);

describe('the upper threshold of a gateway', () => {
  const one = (options: GatewayOptions): void =>
    bed.setService({ gateways: [[1, { weight: 1, ...options }]] });
  const all = flows(12);
  /** Opens connections until one is refused: how many were accepted. */
  function fill(from: Flow[]): number {
    const refused = from.findIndex((flow) => !isAccepted(flow));
    return refused < 0 ? from.length : refused;
  }

  for (const [upper, lower, again] of [
    // Without a lower one it is three quarters of the upper, rounded up.
    [4, 0, 2],
    [8, 0, 5],
    [1, 0, 0],
    [3, 0, 2],
    [4, 2, 1],
    [4, 4, 3],
  ] as const) {
    test(`${upper}, lower ${lower}: full at ${upper}, open again at ${again}`, () => {
      one({ upper, lower });
      assert.equal(fill(all), upper);
      for (let left = upper - 1; left >= again; left--) {
        assert.ok(!isAccepted(all[11]!), `${left + 1} left`);
        bed.expire(all[left]!);
      }
      assert.ok(isAccepted(all[11]!), `${again} left`);
    });
  }

  test('counts inactive connections too', () => {
    one({ upper: 2 });
    assert.equal(fill(flows(3, { protocol: 'udp' })), 2);
    assert.equal(bed.counts(), '0/2');
  });

  test('does not stop the packets of those that it has', () => {
    one({ upper: 1 });
    const [flow] = all;
    open(flow!);
    assert.equal(verdictOf(flow!, 'A'), 'KNOWN');
  });

  test('sends others to the next gateway', () => {
    bed.renewService({ gateways: [[1], [2, { upper: 1 }]] });
    assert.deepEqual(
      all.slice(0, 4).map((flow) => open(flow)),
      [gatewayAddress(2), first, first, first],
    );
  });

  test('counts at once when it is edited', () => {
    one({});
    for (const flow of all.slice(0, 5)) open(flow);
    one({ upper: 5 });
    assert.ok(!isAccepted(all[6]!), 'at its upper threshold');
    one({ upper: 6 });
    assert.ok(!isAccepted(all[6]!), 'in between it stays full');
    one({ upper: 8 });
    assert.ok(isAccepted(all[6]!), 'below its lower threshold');
    one({ upper: 6 });
    assert.ok(!isAccepted(all[7]!), 'full again');
    one({ upper: 0 });
    assert.ok(isAccepted(all[7]!), 'none');
  });
});

describe('a drained gateway', () => {
  test('keeps its connections and gets no new ones', () => {
    bed.renewService({ gateways: [[1]] });
    const [old, other, third] = flows(3);
    open(old!);
    bed.setService({ gateways: [[1, 0], [2]] });
    assert.equal(open(other!), gatewayAddress(2));
    assert.equal(open(third!), gatewayAddress(2));
    assert.equal(bed.direct(old!.up('A')), first);
    assert.equal(bed.gatewayOf(bed.run('ingress', old!.up('A')).mark), first);
    assert.equal(bed.service().gateways.find(({ weight }) => weight === 0)?.active, 1);
  });
});

describe('a deleted gateway', () => {
  /** 101 lies on another link, and no other service keeps it. */
  const lone = gatewayAddress(101);
  const remove = (): void => bed.editService(() => ({ gateways: [] }));

  test('has no packet any more; a new flow on the port is scheduled anew', () => {
    bed.renewService({ gateways: [[101]] });
    const tcp = new Flow({ port: 1 });
    const udp = new Flow({ port: 2, protocol: 'udp' });
    assert.deepEqual([open(tcp), open(udp)], [lone, lone]);
    bed.setService({ gateways: [[1]] });
    for (const flow of [tcp, udp])
      assert.equal(bed.run('ingress', flow.up('A')).verdict, 'GATEWAY_GONE');
    assert.equal(verdictOf(tcp, 'A'), 'GATEWAY_GONE');
    assert.deepEqual([open(tcp), open(udp)], [first, first]);
    assert.equal(bed.counts(), '1/1');
  });

  test('that another service still has keeps its connections', () => {
    bed.renewService({ gateways: [[101]] });
    bed.setService({ fwmark: 2, gateways: [[101]] });
    const flow = new Flow();
    open(flow);
    remove();
    assert.equal(bed.gatewayOf(bed.run('ingress', flow.up('A')).mark), lone);
    assert.equal(bed.direct(flow.up('A')), lone);
    bed.setService({ fwmark: 2 });
  });

  test('revives its connections when it comes back', () => {
    bed.renewService({ gateways: [[101]] });
    const flow = new Flow();
    const before = bed.run('director', flow.up(), 1).mark;
    remove();
    assert.equal(verdictOf(flow, 'A'), 'GATEWAY_GONE');
    bed.run('egress', flow.down('SA'));
    bed.setService({ gateways: [[101]] });
    assert.equal(bed.counts(), '1/0');
    assert.equal(bed.run('director', flow.up('A'), 1).mark, before);
    assert.equal(bed.stateOf(flow), 'ESTABLISHED');
  });

  test('is the newest when it comes back, also in the same write', () => {
    bed.renewService({ gateways: [[1], [2]] });
    const flow = new Flow();
    assert.equal(open(flow), gatewayAddress(2));
    // As -d and -a of the older one in a file for -R.
    bed.editService(({ gateways }) => ({ gateways: gateways.toReversed() }));
    assert.deepEqual(
      bed.service().gateways.map(({ address }) => address),
      [first, gatewayAddress(2)],
    );
    assert.equal(bed.counts(), '0/0 1/0');
    assert.equal(open(flow), gatewayAddress(2));
    assert.equal(open(new Flow({ port: 1 })), first);
  });

  test('does not leave its connections to the gateway that comes in its place', () => {
    bed.renewService({ gateways: [[101]] });
    const flow = new Flow();
    open(flow);
    bed.setService({ gateways: [[102]] });
    assert.equal(bed.run('ingress', flow.up('A')).verdict, 'GATEWAY_GONE');
    assert.equal(open(new Flow({ port: 2 })), gatewayAddress(102));
  });

  test('leaves no connection behind that cannot expire', () => {
    bed.renewService({ gateways: [[101]] });
    const flow = new Flow();
    open(flow);
    remove();
    bed.expire(flow);
    assert.deepEqual(bed.connections, []);
  });
});

describe('a deleted service', () => {
  test('keeps its connections as long as their gateway is there', () => {
    bed.renewService({ gateways: [[1]] });
    const flow = new Flow();
    open(flow);
    bed.clearServices();
    assert.equal(bed.direct(flow.up('A')), first);
    assert.equal(verdictOf(new Flow({ port: 2 })), 'NO_SERVICE');
  });

  test('counts from nothing when it comes back, but has its connections', () => {
    bed.renewService({ gateways: [[1]] });
    const flow = new Flow();
    open(flow);
    bed.clearServices();
    bed.setService({ gateways: [[1]] });
    assert.equal(bed.service().totals.connections, 0n);
    assert.equal(bed.counts(), '1/0');
    assert.equal(verdictOf(flow, 'A'), 'KNOWN');
  });
});

describe('a full table', () => {
  test('makes room again as soon as a connection ends', () => {
    bed.renewService({ gateways: [[1]] });
    bed.setSettings({ connectionLimit: 3 });
    const all = flows(4);
    assert.deepEqual(
      all.map((flow) => verdictOf(flow)),
      ['NEW', 'NEW', 'NEW', 'TABLE_FULL'],
    );
    assert.equal(bed.run('ingress', all[3]!.up('A')).verdict, 'UNKNOWN');
    bed.expire(all[0]!);
    assert.equal(verdictOf(all[3]!), 'NEW');
  });

  test('in one shard is full for its own only, and counts stay exact', () => {
    bed.renewService({ gateways: [[1]] });
    const { SHARDS } = abi.limits;
    // Each shard of a table for 4096 has room for 128: no more than these, all together.
    bed.setSettings({ connectionLimit: SHARDS * 128 });
    const program = bed.programs.director;
    const before = bed.director.maps.verdicts()[abi.hook.HOOK_DIRECTOR]!;
    for (let port = 1; port <= SHARDS * 128; port++)
      program.run(new Flow({ protocol: 'udp', port }).up().bytes, { mark: 1 });
    const counted = bed.director.maps
      .verdicts()
      [abi.hook.HOOK_DIRECTOR]!.map((count, i) => Number(count - before[i]!));
    const full = counted[abi.verdict.VERDICT_TABLE_FULL]!;
    assert.ok(full > 0, 'by chance no shard was hit more than another');
    assert.equal(counted[abi.verdict.VERDICT_NEW]! + full, SHARDS * 128);
    assert.equal(bed.connections.length, counted[abi.verdict.VERDICT_NEW]);
  });
});
