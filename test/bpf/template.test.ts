// Persistence: a client's connections stay together, by a template in the connection table.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, flows } from './flow.ts';
import type { ServiceOptions } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

/** rr between two, so that whoever has no template gets the other gateway each time. */
const serve = (options: ServiceOptions = {}): void =>
  bed.setService({ persistence: 60, gateways: [[1], [2]], ...options });

const verdictOf = (flow: Flow, fwmark = 1): string =>
  bed.run('director', flow.up(), fwmark).verdict;
const gatewayOf = (flow: Flow, fwmark = 1): string => bed.direct(flow.up(), fwmark);

const isTemplate = (key: abi.ConnKey): boolean => key.protocol === 0;
const templates = (): abi.Conn[] =>
  bed.connections.filter(([key]) => isTemplate(key)).map(([, conn]) => conn);
function template(): abi.Conn {
  const [one, ...more] = templates();
  assert.ok(one && more.length === 0, 'one template');
  return one;
}
const ageTemplates = (seconds: bigint): void =>
  bed.changeConnections((key, conn) =>
    isTemplate(key) ? { ...conn, seenNs: conn.seenNs - seconds * 1_000_000_000n } : conn,
  );

/** Of each gateway, newest first: templates. */
const persistent = (): string =>
  bed
    .service()
    .gateways.map((gateway) => gateway.persistent)
    .join(' ');

describe("a client's connections", () => {
  test('stay together, and those of another client do not follow', () => {
    serve();
    const [first, ...more] = flows(5);
    const gateway = gatewayOf(first!);
    for (const flow of more) {
      const outcome = bed.run('director', flow.up(), 1);
      assert.deepEqual([outcome.verdict, bed.gatewayOf(outcome.mark)], ['TEMPLATE', gateway]);
    }
    assert.notEqual(gatewayOf(new Flow({ client: '10.0.0.3' })), gateway);
    assert.equal(bed.counts(), '5/0 1/0');
  });

  test('of TCP, UDP and ICMP share one template', () => {
    serve();
    const gateway = gatewayOf(new Flow());
    assert.equal(gatewayOf(new Flow({ protocol: 'udp' })), gateway);
    assert.equal(gatewayOf(new Flow({ protocol: 'icmp' })), gateway);
    assert.equal(template().children, 3);
  });

  test('have a template for each service', () => {
    serve();
    serve({ fwmark: 2 });
    serve({ fwmark: 2, family: 6 });
    verdictOf(new Flow({ port: 1 }));
    assert.equal(verdictOf(new Flow({ port: 2 }), 2), 'NEW');
    assert.equal(verdictOf(new Flow({ port: 3 }), 2), 'TEMPLATE');
    assert.equal(verdictOf(new Flow({ client: client6 }), 2), 'NEW');
    assert.equal(templates().length, 3);
  });

  test('on a port that was used before stay with their template', () => {
    serve();
    const flow = new Flow();
    const gateway = gatewayOf(flow);
    bed.run('egress', flow.down('RA'));
    assert.equal(verdictOf(flow), 'TEMPLATE');
    assert.equal(gatewayOf(flow), gateway);
    assert.equal(template().children, 1);
  });
});

describe('a template', () => {
  test('is listed as IPVS lists it: the fwmark in the place of the server', () => {
    for (const [client, listed, server] of [
      [client4, '10.0.0.0', '0.0.1.2'],
      [client6, 'fd00::', '0:102::'],
    ] as const) {
      const family = client === client4 ? 4 : 6;
      const netmask = family === 4 ? '255.255.255.0' : '64';
      serve({ fwmark: 0x102, family, netmask, persistence: 77 });
      verdictOf(new Flow({ client }), 0x102);
      const found = [...readConnections(bed.director)].find((each) => each.protocol === 0);
      const { expires, gateway, ...rest } = found!;
      assert.deepEqual(rest, {
        ...{ protocol: 0, family, fwmark: 0x102, state: 'NONE', age: 0, reason: '', generation: 0 },
        ...{ client: listed, clientPort: 0, server, serverPort: 0, gatewayPort: 0 },
      });
      assert.equal(gateway, gatewayAddress(2, family));
      assert.ok(expires === 77 || expires === 76, `${expires}`);
      bed.forget();
    }
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    test(`is assured once a connection of ${protocol} was answered`, () => {
      serve();
      const flow = new Flow({ protocol });
      const state = () => [...readConnections(bed.director)].find((c) => c.protocol === 0)!.state;
      verdictOf(flow);
      bed.run('ingress', flow.up());
      assert.equal(state(), 'NONE');
      bed.run('egress', flow.down('SA'));
      bed.run('ingress', flow.up('A'));
      assert.equal(state(), 'ASSURED');
    });
  }

  test('counts as persistent, not as a connection, and not for thresholds', () => {
    serve({ gateways: [[1, { weight: 1, upper: 2 }]] });
    verdictOf(new Flow());
    assert.deepEqual([persistent(), bed.counts()], ['1', '1/0']);
    assert.equal(verdictOf(new Flow({ client: '10.0.0.3' })), 'NEW');
    assert.deepEqual([persistent(), bed.counts()], ['2', '2/0']);
  });

  test('sends its client even to a gateway that is full', () => {
    serve({ gateways: [[1, { weight: 1, upper: 1 }]] });
    verdictOf(new Flow({ port: 1 }));
    assert.equal(verdictOf(new Flow({ client: '10.0.0.3' })), 'NO_GATEWAY');
    assert.equal(verdictOf(new Flow({ port: 2 })), 'TEMPLATE');
    assert.equal(bed.counts(), '2/0');
  });

  test('has its timeout restarted by new connections only', () => {
    serve();
    const flow = new Flow({ port: 1 });
    verdictOf(flow);
    ageTemplates(30n);
    const { seenNs } = template();
    bed.run('ingress', flow.up('A'));
    bed.run('director', flow.up('A'), 1);
    bed.run('egress', flow.down('A'));
    assert.equal(template().seenNs, seenNs);
    verdictOf(new Flow({ port: 2 }));
    assert.ok(template().seenNs - seenNs >= 30_000_000_000n);
  });

  test('outlives its timeout while a connection made through it lives', () => {
    serve({ persistence: 5 });
    const flow = new Flow({ port: 1 });
    verdictOf(flow);
    ageTemplates(6n);
    assert.equal(verdictOf(new Flow({ port: 2 })), 'TEMPLATE');
    assert.equal(template().children, 2);
  });

  test('ends by its timeout once they are gone', () => {
    serve({ persistence: 5 });
    const [first, second] = flows(2);
    const gateway = gatewayOf(first!);
    bed.expire(first!);
    assert.equal(template().children, 0);
    ageTemplates(6n);
    assert.notEqual(gatewayOf(second!), gateway);
    assert.equal(template().children, 1);
  });

  test('keeps the timeout with which it was made', () => {
    serve({ persistence: 50 });
    verdictOf(new Flow({ port: 1 }));
    serve({ persistence: 5 });
    assert.equal(verdictOf(new Flow({ port: 2 })), 'TEMPLATE');
    assert.equal(template().timeoutS, 50);
  });

  test('is not looked at where the service is not persistent any more', () => {
    serve();
    const gateway = gatewayOf(new Flow({ port: 1 }));
    serve({ persistence: 0 });
    assert.equal(verdictOf(new Flow({ port: 2 })), 'NEW');
    assert.notEqual(gatewayOf(new Flow({ port: 2 })), gateway);
    assert.equal(template().children, 1);
  });

  test('is found again by a service that was deleted and came back', () => {
    serve();
    const gateway = gatewayOf(new Flow({ port: 1 }));
    bed.clearServices();
    serve();
    assert.equal(verdictOf(new Flow({ port: 2 })), 'TEMPLATE');
    assert.equal(gatewayOf(new Flow({ port: 2 })), gateway);
  });
});

describe('the netmask of persistence', () => {
  const cases: [netmask: string, client: string, together: string[], apart: string[]][] = [
    ['255.255.255.255', '10.1.2.3', ['10.1.2.3'], ['10.1.2.2', '10.1.3.3']],
    ['255.255.255.254', '10.1.2.3', ['10.1.2.2'], ['10.1.2.1']],
    ['255.255.255.0', '10.1.2.3', ['10.1.2.255', '10.1.2.0'], ['10.1.3.3', '10.0.2.3']],
    ['255.0.0.0', '10.1.2.3', ['10.255.0.1'], ['11.1.2.3']],
    ['128', 'fd00::3', ['fd00::3'], ['fd00::2', 'fd00::1:3']],
    ['127', 'fd00::3', ['fd00::2'], ['fd00::1']],
    ['96', 'fd00::3', ['fd00::ffff:1'], ['fd00::1:0:3']],
    ['65', 'fd00::3', ['fd00::7fff:0:0:1'], ['fd00::8000:0:0:3']],
    ['64', 'fd00::3', ['fd00::ffff:0:0:1'], ['fd00:0:0:1::3']],
    ['63', 'fd00::3', ['fd00:0:0:1::3'], ['fd00:0:0:2::3']],
    ['48', 'fd00::3', ['fd00:0:0:ffff::3'], ['fd00:0:1::3']],
    ['1', 'fd00::3', ['8000::3'], ['7d00::3']],
  ];
  for (const [netmask, client, together, apart] of cases) {
    test(`${netmask} keeps ${together.join(' and ')} with ${client}, not ${apart.join(', ')}`, () => {
      serve({ family: client.includes(':') ? 6 : 4, netmask });
      verdictOf(new Flow({ client }));
      for (const other of together)
        assert.equal(verdictOf(new Flow({ client: other, port: 4001 })), 'TEMPLATE', other);
      for (const other of apart)
        assert.equal(verdictOf(new Flow({ client: other, port: 4002 })), 'NEW', other);
    });
  }
});

describe('a template whose gateway', () => {
  for (const [what, gateways, left] of [
    ['is drained', [[2, 0], [1]], '1 0'],
    ['is deleted', [[1]], '1'],
  ] as [string, ServiceOptions['gateways'], string][]) {
    test(`${what} gives its client another one, and old connections stay`, () => {
      serve({ gateways: [[2]] });
      const old = new Flow({ port: 1 });
      assert.equal(gatewayOf(old), gatewayAddress(2));
      serve({ gateways });
      const moved = bed.run('director', new Flow({ port: 2 }).up(), 1);
      assert.deepEqual([moved.verdict, bed.gatewayOf(moved.mark)], ['NEW', gatewayAddress(1)]);
      assert.equal(verdictOf(new Flow({ port: 3 })), 'TEMPLATE');
      assert.equal(gatewayOf(old), gatewayAddress(2));
      assert.equal(template().children, 3);
      assert.equal(persistent(), left);
    });
  }

  test('and all others are drained gives nothing', () => {
    serve({ gateways: [[2]] });
    verdictOf(new Flow({ port: 1 }));
    serve({ gateways: [[2, 0]] });
    ageTemplates(30n);
    const { seenNs } = template();
    assert.equal(verdictOf(new Flow({ port: 2 })), 'NO_GATEWAY');
    assert.equal(persistent(), '1');
    assert.equal(template().seenNs, seenNs, 'no connection, so its time goes on');
  });
});

describe('a table without room', () => {
  test('for a template still gives the connection a gateway', () => {
    serve();
    bed.setSettings({ connectionLimit: 0 });
    const outcome = bed.run('director', new Flow().up(), 1);
    assert.equal(outcome.verdict, 'TABLE_FULL');
    assert.match(bed.gatewayOf(outcome.mark), /^192\.0\.2\.[12]$/);
    assert.deepEqual(bed.connections, []);
  });

  test('for the connection keeps the template, with no child', () => {
    serve();
    bed.setSettings({ connectionLimit: 1 });
    const [first, second] = flows(2);
    const gateway = gatewayOf(first!);
    assert.equal(gatewayOf(second!), gateway);
    assert.equal(template().children, 0);
  });
});
