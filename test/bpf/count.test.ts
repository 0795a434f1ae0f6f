// Packets and bytes of a gateway, both ways, and -Z.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { zeroCounters } from '../../src/kernel/write-table.ts';
import { type Counters, noCounters } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, flows, server6 } from './flow.ts';
import { packet } from './packet.ts';

const bed = openBed();
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
    zeroCounters(bed.director);
  }
});

/** What the service and its only gateway have counted: the same. */
function totals(family: 4 | 6 = 4): Counters {
  const { gateways, totals } = bed.service(1, family);
  assert.deepEqual(gateways[0]!.totals, totals);
  return totals;
}
const counters = (change: Partial<Counters>): Counters => ({ ...noCounters(), ...change });

describe('a gateway counts', () => {
  for (const client of [client4, client6]) {
    for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
      test(`packets and bytes of ${protocol} from ${client}, whoever sees them first`, () => {
        const flow = new Flow({ client, protocol });
        const request = flow.up().payload(100);
        const reply = flow.down().payload(1000);
        bed.run('director', request, 1);
        bed.run('ingress', request);
        bed.run('director', request, 1);
        bed.run('egress', reply);
        bed.run('egress', reply);
        assert.deepEqual(
          totals(flow.family),
          counters({
            connections: 1n,
            inPackets: 3n,
            inBytes: BigInt(request.ipLength * 3),
            outPackets: 2n,
            outBytes: BigInt(reply.ipLength * 2),
          }),
        );
      });
    }
  }

  test('the bytes of the IP packet, not those that Ethernet pads', () => {
    const flow = new Flow({ protocol: 'udp' });
    const short = flow.up();
    bed.run('director', Buffer.concat([short.bytes, Buffer.alloc(18)]), 1);
    assert.equal(totals().inBytes, BigInt(short.ipLength));
  });

  test('the bytes of a jumbogram, whose header says none', () => {
    const flow = new Flow({ client: client6 });
    bed.direct(flow.up());
    const before = totals(6);
    for (const [hook, src, dst] of [
      ['ingress', client6, server6],
      ['director', client6, server6],
      ['egress', server6, client6],
    ] as const) {
      const ports =
        hook === 'egress' ? { sport: 80, dport: flow.port } : { sport: flow.port, dport: 80 };
      const jumbo = packet()
        .ipv6({ src, dst, length: 0 })
        .extension('hopByHop')
        .tcp({ ...ports, flags: 'A' })
        .payload(1000);
      const way = hook === 'egress' ? 'outBytes' : 'inBytes';
      const soFar = totals(6)[way];
      assert.equal(bed.run(hook, jumbo, hook === 'director' ? 1 : 0).verdict, 'KNOWN');
      assert.equal(totals(6)[way] - soFar, BigInt(jumbo.ipLength), hook);
    }
    assert.equal(totals(6).inPackets - before.inPackets, 2n);
  });

  test('the packets that GRO made one of', () => {
    const flow = new Flow();
    bed.direct(flow.up());
    const { bytes } = flow.up('A').payload(1400);
    bed.programs.ingress.run(bytes, { segments: 10 });
    bed.programs.egress.run(flow.down('A').payload(1400).bytes, { segments: 20 });
    const { inPackets, outPackets, connections } = totals();
    assert.deepEqual([connections, inPackets, outPackets], [1n, 11n, 20n]);
  });

  test('nothing of packets that are passed on', () => {
    for (const flags of ['A', 'SA', 'R']) bed.run('director', new Flow().up(flags), 1);
    bed.run('ingress', new Flow().up());
    bed.run('egress', new Flow().down());
    assert.deepEqual(totals(), noCounters());
  });

  test('a connection for which the table had no room', () => {
    bed.setSettings({ connectionLimit: 0 });
    for (const flow of flows(3)) bed.direct(flow.up());
    const { connections, inPackets } = totals();
    assert.deepEqual([connections, inPackets], [3n, 3n]);
  });

  test('a packet that lost a race for its entry', () => {
    const flow = new Flow();
    bed.direct(flow.up());
    bed.markDead();
    assert.equal(bed.run('director', flow.up(), 1).verdict, 'RACE');
    assert.equal(totals().inPackets, 2n);
  });
});

describe('a service', () => {
  test('keeps what went through a gateway that it lost', () => {
    bed.setService({ fwmark: 3, gateways: [[1], [2]] });
    for (const flow of flows(6)) bed.direct(flow.up(), 3);
    bed.setService({ fwmark: 3, gateways: [[1]] });
    const { gateways, totals } = bed.service(3);
    assert.equal(gateways[0]!.totals.connections, 3n);
    assert.equal(totals.connections, 6n);
  });

  test('counts for itself alone', () => {
    bed.setService({ fwmark: 3, gateways: [[1]] });
    bed.direct(new Flow().up(), 3);
    assert.deepEqual(totals(), noCounters());
  });
});

describe('zeroing', () => {
  test('shows what comes after it, and leaves connections alone', () => {
    const flow = new Flow();
    bed.direct(flow.up());
    bed.run('egress', flow.down());
    zeroCounters(bed.director, { fwmark: 1, family: 4 });
    assert.deepEqual(totals(), noCounters());
    assert.equal(bed.counts(), '1/0');
    bed.run('egress', flow.down());
    assert.deepEqual(
      totals(),
      counters({ outPackets: 1n, outBytes: BigInt(flow.down().ipLength) }),
    );
  });

  test('one service leaves the others as they are', () => {
    bed.setService({ fwmark: 3, gateways: [[1]] });
    bed.direct(new Flow({ port: 1 }).up(), 3);
    bed.direct(new Flow({ port: 2 }).up(), 1);
    bed.direct(new Flow({ port: 3, client: client6 }).up(), 1);
    zeroCounters(bed.director, { fwmark: 1, family: 4 });
    assert.equal(bed.service(1, 4).totals.connections, 0n);
    assert.equal(bed.service(1, 6).totals.connections, 1n);
    assert.equal(bed.service(3).totals.connections, 1n);
  });
});

test('rates are averaged by the kernel as IPVS does: a quarter of a 2 s sum at once', async () => {
  const request = new Flow({ protocol: 'udp' }).up().payload(72);
  assert.equal(request.ipLength, 100);
  const rates = (fwmark: number) => bed.service(fwmark).gateways[0]!.rates;
  // Another service's rate moves when the kernel's 2 s begin.
  bed.setService({ fwmark: 3, gateways: [[1]] });
  for (const flow of flows(100)) bed.direct(flow.up(), 3);
  await waitUntil('the rate of connections', () => rates(3).connections > 0n);
  for (let n = 0; n < 160; n++) bed.programs.director.run(request.bytes, { mark: 1 });
  await waitUntil('the rate of packets', () => rates(1).inPackets > 0n);
  assert.deepEqual(rates(1), counters({ connections: 0n, inPackets: 20n, inBytes: 2000n }));
});
