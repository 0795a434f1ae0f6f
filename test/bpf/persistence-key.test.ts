// Persistence by server, or by client and server: ipvsadm --pe.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import type { Connection, Family, PersistenceKey } from '../../src/model/table.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow, type FlowOptions } from './flow.ts';
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

const families = [4, 6] as const satisfies Family[];
/** Host k of the LAN, and of the internet. */
const client = (family: Family, k: number) => (family === 4 ? `10.0.0.${k}` : `fd00::${k}`);
const server = (family: Family, k: number) =>
  family === 4 ? `203.0.113.${k}` : `2001:db8:ff::${k}`;

/** rr between two, so that whoever has no template gets the other gateway each time. */
function serve(persistenceKey: PersistenceKey, options: ServiceOptions = {}): void {
  bed.setService({ persistence: 60, persistenceKey, gateways: [[1], [2]], ...options });
}

/** Ports are never the same twice: each flow is a connection of its own. */
let port = 1024;
const flow = (family: Family, from: number, to: number, more: FlowOptions = {}): Flow =>
  new Flow({ client: client(family, from), server: server(family, to), port: ++port, ...more });

const outcomeOf = (of: Flow, fwmark = 1) => {
  const { verdict, mark } = bed.run('director', of.up(), fwmark);
  return { verdict, gateway: bed.gatewayOf(mark) };
};
const verdictOf = (of: Flow, fwmark = 1): string => outcomeOf(of, fwmark).verdict;
const gatewayOf = (of: Flow, fwmark = 1): string => outcomeOf(of, fwmark).gateway;

const templates = (): abi.Conn[] =>
  bed.connections.filter(([key]) => key.protocol === 0).map(([, conn]) => conn);
function template(): abi.Conn {
  const [one, ...more] = templates();
  assert.ok(one && more.length === 0, 'one template');
  return one;
}
const ageTemplates = (seconds: bigint): void =>
  bed.changeConnections((key, conn) =>
    key.protocol === 0 ? { ...conn, seenNs: conn.seenNs - seconds * 1_000_000_000n } : conn,
  );
const listedTemplates = (): Connection[] =>
  [...readConnections(bed.director)].filter(({ protocol }) => protocol === 0);

for (const family of families) {
  describe(`by destination, in IPv${family}`, () => {
    test('all clients of a server are together, those of another are elsewhere', () => {
      serve('destination', { family });
      const first = gatewayOf(flow(family, 2, 1));
      for (const from of [2, 3, 4, 5])
        assert.deepEqual(outcomeOf(flow(family, from, 1)), { verdict: 'TEMPLATE', gateway: first });
      const other = outcomeOf(flow(family, 2, 2));
      assert.equal(other.verdict, 'NEW');
      assert.notEqual(other.gateway, first);
      assert.deepEqual(
        templates()
          .map(({ children }) => children)
          .sort(),
        [1, 5],
      );
    });

    test('TCP, UDP and any port of a server share one template', () => {
      serve('destination', { family });
      const first = gatewayOf(flow(family, 2, 1));
      assert.equal(gatewayOf(flow(family, 3, 1, { protocol: 'udp' })), first);
      assert.equal(gatewayOf(flow(family, 4, 1, { serverPort: 443 })), first);
      assert.equal(template().children, 3);
    });

    test('services of different marks have templates of their own', () => {
      // Marks that differ in one half each: the key holds the halves apart.
      for (const fwmark of [0x1_0001, 0x1_0002, 0x2_0001]) serve('destination', { family, fwmark });
      for (const fwmark of [0x1_0001, 0x1_0002, 0x2_0001])
        assert.equal(verdictOf(flow(family, 2, 1), fwmark), 'NEW');
      assert.equal(verdictOf(flow(family, 3, 1), 0x1_0002), 'TEMPLATE');
      assert.equal(templates().length, 3);
    });

    test('a template is listed without a client, and without ports', () => {
      serve('destination', { family, fwmark: 0x3_0007, persistence: 77 });
      verdictOf(flow(family, 2, 1), 0x3_0007);
      const { expires, gateway, ...rest } = listedTemplates()[0]!;
      assert.deepEqual(rest, {
        ...{
          protocol: 0,
          family,
          fwmark: 0x3_0007,
          state: 'NONE',
          age: 0,
          reason: '',
          generation: 0,
        },
        ...{ client: family === 4 ? '0.0.0.0' : '::', clientPort: 0 },
        ...{ server: server(family, 1), serverPort: 0, gatewayPort: 0 },
      });
      assert.equal(gateway, gatewayAddress(2, family));
      assert.ok(expires === 77 || expires === 76, `${expires}`);
    });
  });

  describe(`by source and destination, in IPv${family}`, () => {
    test('only what has the same client and the same server is together', () => {
      serve('source-destination', { family });
      const first = gatewayOf(flow(family, 2, 1));
      assert.deepEqual(outcomeOf(flow(family, 2, 1)), { verdict: 'TEMPLATE', gateway: first });
      for (const [from, to] of [
        [3, 1],
        [2, 2],
        [3, 2],
      ] as const)
        assert.equal(verdictOf(flow(family, from, to)), 'NEW', `client ${from}, server ${to}`);
      assert.equal(templates().length, 4);
    });

    test('a template is listed with its client and its server, without ports', () => {
      serve('source-destination', { family, fwmark: 0x3_0007 });
      verdictOf(flow(family, 2, 1), 0x3_0007);
      const {
        client: from,
        clientPort,
        server: to,
        serverPort,
        gatewayPort,
      } = listedTemplates()[0]!;
      assert.deepEqual(
        { from, clientPort, to, serverPort, gatewayPort },
        {
          ...{ from: client(family, 2), clientPort: 0 },
          ...{ to: server(family, 1), serverPort: 0, gatewayPort: 0 },
        },
      );
    });
  });
}

describe('the netmask applies', () => {
  const cases: [PersistenceKey, Family, string, string[], string[]][] = [
    // The key; of the flows (client > server) the first, those with it, those apart.
    [
      'destination',
      4,
      '255.255.255.0',
      ['10.0.0.2>203.0.113.1', '10.9.9.9>203.0.113.255'],
      ['10.0.0.2>203.0.112.1'],
    ],
    [
      'destination',
      6,
      '64',
      ['fd00::2>2001:db8::1', 'fd99::9>2001:db8::ffff:0:0:1'],
      ['fd00::2>2001:db8:0:1::1'],
    ],
    [
      'destination',
      6,
      '33',
      ['fd00::2>2001:db8::1', 'fd00::2>2001:db8:7fff::1'],
      ['fd00::2>2001:db8:8000::1'],
    ],
    [
      'source-destination',
      4,
      '255.255.0.0',
      ['10.0.0.2>203.0.113.1', '10.0.9.9>203.0.1.9'],
      ['10.1.0.2>203.0.113.1', '10.0.0.2>203.1.113.1'],
    ],
    [
      'source-destination',
      6,
      '48',
      ['fd00::2>2001:db8::1', 'fd00::9:0:0:1>2001:db8:0:9::9'],
      ['fd00:0:1::2>2001:db8::1', 'fd00::2>2001:db8:1::1'],
    ],
  ];
  for (const [key, family, netmask, together, apart] of cases)
    test(`by ${key}, ${netmask}: ${together.join(' with ')}, apart from ${apart.join(' and ')}`, () => {
      serve(key, { family, netmask });
      const verdict = (pair: string): string => {
        const [from, to] = pair.split('>') as [string, string];
        return verdictOf(new Flow({ client: from, server: to, port: ++port }));
      };
      assert.deepEqual(together.map(verdict), ['NEW', 'TEMPLATE']);
      assert.deepEqual(
        apart.map(verdict),
        apart.map(() => 'NEW'),
      );
      assert.deepEqual(together.map(verdict), ['TEMPLATE', 'TEMPLATE']);
    });
});

describe('a template by destination', () => {
  test('has its timeout restarted by new connections only', () => {
    serve('destination');
    const first = flow(4, 2, 1);
    verdictOf(first);
    ageTemplates(30n);
    const { seenNs } = template();
    bed.run('ingress', first.up('A'));
    bed.run('egress', first.down('A'));
    assert.equal(template().seenNs, seenNs);
    verdictOf(flow(4, 3, 1));
    assert.ok(template().seenNs - seenNs >= 30_000_000_000n);
  });

  test('is assured once a connection made through it was answered', () => {
    serve('destination');
    const first = flow(4, 2, 1);
    verdictOf(first);
    assert.equal(listedTemplates()[0]!.state, 'NONE');
    bed.run('egress', first.down('SA'));
    bed.run('ingress', first.up('A'));
    assert.equal(listedTemplates()[0]!.state, 'ASSURED');
  });

  test('lives as long as a connection made through it, then ends by its timeout', () => {
    serve('destination', { persistence: 5 });
    const [first, second] = [flow(4, 2, 1), flow(4, 3, 1)];
    const gateway = gatewayOf(first);
    ageTemplates(6n);
    assert.deepEqual(outcomeOf(second), { verdict: 'TEMPLATE', gateway });
    for (const each of [first, second]) bed.expire(each);
    assert.equal(template().children, 0);
    ageTemplates(6n);
    const after = outcomeOf(flow(4, 2, 1));
    assert.equal(after.verdict, 'NEW');
    assert.notEqual(after.gateway, gateway);
  });
});

for (const key of ['destination', 'source-destination'] as const)
  describe(`a template by ${key} whose gateway`, () => {
    for (const [what, gateways, left] of [
      ['is drained', [[1], [2, 0]], '0 1'],
      ['is deleted', [[1]], '1'],
    ] as [string, ServiceOptions['gateways'], string][])
      test(`${what} leads elsewhere from then on, and old connections stay`, () => {
        serve(key, { gateways: [[2]] });
        const old = flow(4, 2, 1);
        assert.equal(gatewayOf(old), gatewayAddress(2));
        serve(key, { gateways });
        assert.deepEqual(outcomeOf(flow(4, 2, 1)), { verdict: 'NEW', gateway: gatewayAddress(1) });
        assert.equal(verdictOf(flow(4, 2, 1)), 'TEMPLATE');
        assert.deepEqual(outcomeOf(old), { verdict: 'KNOWN', gateway: gatewayAddress(2) });
        assert.equal(template().children, 3);
        const persistent = bed.service().gateways.map((gateway) => gateway.persistent);
        assert.equal(persistent.join(' '), left);
      });
  });

describe('when -E changes the key', () => {
  const keys = ['source', 'destination', 'source-destination'] as const;
  for (const before of keys)
    for (const after of keys.filter((key) => key !== before))
      test(`from ${before} to ${after}, old connections stay their template's children`, () => {
        serve(before);
        const old = flow(4, 2, 1);
        const gateway = gatewayOf(old);
        const [first] = templates();
        serve(after);
        assert.deepEqual(outcomeOf(old), { verdict: 'KNOWN', gateway });
        assert.equal(verdictOf(flow(4, 2, 1)), 'NEW');
        assert.equal(verdictOf(flow(4, 2, 1)), 'TEMPLATE');
        assert.equal(templates().length, 2);
        bed.expire(old);
        const children = templates().map((each) => [each.slot === first!.slot, each.children]);
        assert.deepEqual(children.sort(), [
          [false, 2],
          [true, 0],
        ]);
      });

  test('and later back again, the first template is found again', () => {
    serve('destination', { netmask: '255.255.255.0' });
    const gateway = gatewayOf(flow(4, 2, 1));
    serve('source', { netmask: '255.255.255.255' });
    verdictOf(flow(4, 2, 1));
    serve('destination', { netmask: '255.255.255.0' });
    assert.deepEqual(outcomeOf(flow(4, 7, 9)), { verdict: 'TEMPLATE', gateway });
  });
});
