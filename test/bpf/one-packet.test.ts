// Services with -o: each datagram is scheduled for itself, and none is remembered.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client6, Flow, type FlowProtocol } from './flow.ts';
import type { ServiceOptions } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.clear();
  }
});

/** rr between two, so that each decision takes the other gateway. */
const serve = (options: ServiceOptions = {}): void =>
  bed.setService({ onePacket: true, gateways: [[1], [2]], ...options });

const udp = new Flow({ protocol: 'udp' });
const send = (flow: Flow): [verdict: string, gateway: string] => {
  const { verdict, mark } = bed.run('director', flow.up(), 1);
  return [verdict, bed.gatewayOf(mark)];
};
const total = (name: 'connections' | 'inPackets'): string =>
  bed
    .service()
    .gateways.map(({ totals }) => totals[name])
    .join(' ');

describe('a datagram of a service with -o', () => {
  for (const client of [udp.client, client6]) {
    test(`from ${client} has a gateway of its own each time`, () => {
      const family = client === client6 ? 6 : 4;
      serve({ family });
      const flow = new Flow({ client, protocol: 'udp' });
      const want = [2, 1, 2, 1].map((n) => ['ONE_PACKET', gatewayAddress(n, family)]);
      assert.deepEqual(
        want.map(() => send(flow)),
        want,
      );
    });
  }

  test('leaves no entry and no count behind, and is a connection in the totals', () => {
    serve();
    for (let n = 0; n < 5; n++) send(udp);
    assert.deepEqual(bed.connections, []);
    assert.equal(bed.counts(), '0/0 0/0');
    assert.deepEqual([total('connections'), total('inPackets')], ['3 2', '3 2']);
  });

  test('is unknown on the LAN links, as its answer is', () => {
    serve();
    send(udp);
    assert.equal(bed.run('ingress', udp.up()).verdict, 'UNKNOWN');
    assert.equal(bed.run('egress', udp.down()).verdict, 'UNKNOWN');
  });

  test('needs no room in the table', () => {
    serve();
    bed.setSettings({ connectionLimit: 0 });
    assert.equal(send(udp)[0], 'ONE_PACKET');
  });

  test('finds no gateway where all are drained', () => {
    serve({ gateways: [[1, 0]] });
    assert.deepEqual(send(udp), ['NO_GATEWAY', 'none']);
  });

  test('goes on with the connection that it had before -o', () => {
    serve({ onePacket: false });
    const [, gateway] = send(udp);
    serve();
    assert.deepEqual([send(udp), send(udp)], Array(2).fill(['KNOWN', gateway]));
  });
});

describe('other protocols of a service with -o', () => {
  for (const protocol of ['tcp', 'sctp', 'icmp', 'gre'] as FlowProtocol[]) {
    test(`have connections as ever: ${protocol}`, () => {
      serve();
      const flow = new Flow({ protocol });
      const [verdict, gateway] = send(flow);
      assert.equal(verdict, 'NEW');
      assert.deepEqual(send(flow), ['KNOWN', gateway]);
      assert.equal(bed.connections.length, 1);
    });
  }
});

describe('a persistent service with -o', () => {
  const template = (): abi.Conn => {
    const [[key, conn] = assert.fail('no entry'), ...more] = bed.connections;
    assert.deepEqual([key.protocol, more], [0, []]);
    return conn;
  };

  test('sends the datagrams of a client after its template', () => {
    serve({ persistence: 60 });
    const [, gateway] = send(udp);
    for (const port of [4000, 4001, 4002])
      assert.deepEqual(send(new Flow({ protocol: 'udp', port })), ['ONE_PACKET', gateway]);
    assert.notEqual(send(new Flow({ protocol: 'udp', client: '10.0.0.3' }))[1], gateway);
    assert.equal(total('connections'), '4 1');
    assert.equal(bed.counts(), '0/0 0/0');
    assert.deepEqual(
      bed.connections.map(([key]) => key.protocol),
      [0, 0],
    );
  });

  test('has templates without children, which each datagram keeps alive', () => {
    serve({ persistence: 5 });
    send(udp);
    const age = (seconds: bigint): void =>
      bed.changeConnections((_, conn) => ({
        ...conn,
        seenNs: conn.seenNs - seconds * 1_000_000_000n,
      }));
    age(3n);
    const { seenNs, children, word } = template();
    assert.deepEqual([children, word & abi.connWord.WORD_STATE], [0, abi.connState.CONN_TEMPLATE]);
    const [, gateway] = send(udp);
    assert.ok(template().seenNs - seenNs >= 3_000_000_000n);
    age(6n);
    assert.notEqual(send(udp)[1], gateway);
  });

  test('keeps TCP and datagrams of a client together', () => {
    serve({ persistence: 60 });
    const [, gateway] = send(new Flow());
    assert.deepEqual(send(udp), ['ONE_PACKET', gateway]);
    assert.equal(bed.connections.length, 2);
  });
});
