// The life of connections: states, and active/inactive counts after each packet.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, type FlowOptions } from './flow.ts';

const bed = openBed();
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
bed.setService({ fwmark: 2, gateways: [[1], [2]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

/** i: from the client, o: a reply; then the TCP flags. Each step: state and active/inactive. */
const lives: [packets: string, steps: string][] = [
  ['iS', 'SYN_RECV 1/0'],
  ['iS iA iF', 'SYN_RECV 1/0, ESTABLISHED 1/0, FIN_WAIT 0/1'],
  ['iS iA iFA iS', 'SYN_RECV 1/0, ESTABLISHED 1/0, FIN_WAIT 0/1, SYN_RECV 1/0'],
  ['iS iA iR iA', 'SYN_RECV 1/0, ESTABLISHED 1/0, CLOSE 0/1, CLOSE 0/1'],
  // A client's RST is ignored until it has acknowledged: IPVS's rule.
  ['iS iR iA', 'SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0'],
  ['iS iF', 'SYN_RECV 1/0, TIME_WAIT 0/1'],
  ['iS iA iFA iA', 'SYN_RECV 1/0, ESTABLISHED 1/0, FIN_WAIT 0/1, FIN_WAIT 0/1'],
  [
    'iS oSA iA iFA oA oFA iA',
    'SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0, CLOSE_WAIT 0/1, CLOSE_WAIT 0/1, ' +
      'TIME_WAIT 0/1, TIME_WAIT 0/1',
  ],
  [
    'iS oSA iA oFA iA iFA oA',
    'SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0, FIN_WAIT 0/1, FIN_WAIT 0/1, ' +
      'TIME_WAIT 0/1, TIME_WAIT 0/1',
  ],
  ['iS oRA', 'SYN_RECV 1/0, CLOSE 0/1'],
  ['iS oSA iR', 'SYN_RECV 1/0, SYN_RECV 1/0, SYN_RECV 1/0'],
  ['iS oSA iA oR', 'SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0, CLOSE 0/1'],
  [
    'iS oSA iA iPA oPA',
    'SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0, ESTABLISHED 1/0, ESTABLISHED 1/0',
  ],
  // Both ends open it at once: their SYNs cross, and each answers the other's.
  ['iS oS iSA oSA iA', 'SYN_RECV 1/0, SYN_RECV 1/0, SYN_RECV 1/0, SYN_RECV 1/0, ESTABLISHED 1/0'],
  // Neither SYN, FIN, ACK nor RST.
  ['iS iA i', 'SYN_RECV 1/0, ESTABLISHED 1/0, CLOSE 0/1'],
];

/** Sends a flow's packets, "iS oSA …", and tells the state and counts after each. */
function live(flow: Flow, packets: string, hook: 'ingress' | 'director'): string {
  const steps = packets.split(' ').map((step, n) => {
    const flags = step.slice(1);
    if (step.startsWith('o')) bed.run('egress', flow.down(flags));
    else if (n === 0 || hook === 'director') bed.run('director', flow.up(flags), 1);
    else bed.run('ingress', flow.up(flags));
    return `${bed.stateOf(flow)} ${bed.counts(1, flow.family)}`;
  });
  return steps.join(', ');
}

describe('a TCP connection', () => {
  for (const [packets, steps] of lives) {
    for (const client of [client4, client6]) {
      test(`of ${client} lives as IPVS's with ${packets}`, () => {
        assert.equal(live(new Flow({ client }), packets, 'ingress'), steps);
      });
    }
    test(`lives so too if only the director sees its client: ${packets}`, () => {
      assert.equal(live(new Flow(), packets, 'director'), steps);
    });
  }
});

describe('a connection without TCP', () => {
  for (const client of [client4, client6]) {
    for (const [protocol, state] of [
      ['udp', 'UDP'],
      ['icmp', 'ICMP'],
    ] as const) {
      test(`of ${protocol} from ${client} is active once it was answered, and stays so`, () => {
        assert.equal(
          live(new Flow({ client, protocol }), 'i i o i o', 'ingress'),
          `${state} 0/1, ${state} 0/1, ${state} 1/0, ${state} 1/0, ${state} 1/0`,
        );
      });
    }
  }
});

const rr = 2;
/** A flow with one that takes the other gateway first: the next choice is the same again. */
function takeTurns(flow: Flow): { old: string; next: string } {
  const old = bed.direct(flow.up(), rr);
  const next = bed.direct(new Flow({ port: 9999 }).up(), rr);
  bed.direct(new Flow({ port: 9998 }).up(), rr);
  assert.notEqual(old, next);
  return { old, next };
}

describe("a SYN on an old connection's port", () => {
  for (const [state, packets] of [
    ['TIME_WAIT', 'iF'],
    ['CLOSE', 'oRA'],
  ] as const) {
    for (const seenBy of ['ingress', 'the director alone']) {
      test(`is scheduled anew after ${state}, seen by ${seenBy}`, () => {
        const flow = new Flow();
        const { old, next } = takeTurns(flow);
        const flags = packets.slice(1);
        if (packets.startsWith('o')) bed.run('egress', flow.down(flags));
        else bed.run('ingress', flow.up(flags));
        assert.equal(bed.stateOf(flow), state);
        if (seenBy === 'ingress') {
          const outcome = bed.run('ingress', flow.up('S'));
          assert.deepEqual(outcome, { verdict: 'UNKNOWN', retval: -1, mark: 0 });
          // Nobody may mark it: its answer must not find the old entry.
          assert.equal(bed.run('egress', flow.down('SA')).verdict, 'UNKNOWN');
        }
        assert.equal(bed.direct(flow.up('S'), rr), next, `not ${old}`);
        assert.equal(bed.stateOf(flow), 'SYN_RECV');
        assert.equal(bed.connections.length, 3);
      });
    }
  }

  for (const [state, packets] of [
    ['SYN_RECV', ''],
    ['ESTABLISHED', 'A'],
    ['FIN_WAIT', 'A FA'],
  ] as const) {
    test(`stays on its gateway in ${state}`, () => {
      const flow = new Flow();
      const { old } = takeTurns(flow);
      for (const flags of packets.split(' ').filter((word) => word !== ''))
        bed.run('ingress', flow.up(flags));
      assert.equal(bed.stateOf(flow), state);
      assert.equal(bed.direct(flow.up('S'), rr), old);
    });
  }
});

describe('every packet of a connection', () => {
  const kinds: FlowOptions[] = [
    {},
    { protocol: 'udp' },
    { protocol: 'icmp' },
    { client: client6 },
    { client: client6, protocol: 'udp' },
  ];
  for (const kind of kinds) {
    test(`restarts its timeout: ${JSON.stringify(kind)}`, () => {
      const flow = new Flow(kind);
      bed.direct(flow.up());
      const packets = [
        () => bed.run('ingress', flow.up('A')),
        () => bed.run('director', flow.up('A'), 1),
        () => bed.run('egress', flow.down('A')),
      ];
      for (const run of packets) {
        bed.changeConnections((_, conn) => ({ ...conn, seenNs: conn.seenNs - 1_000_000_000n }));
        const before = bed.connections[0]![1].seenNs;
        run();
        const age = bed.connections[0]![1].seenNs - before;
        assert.ok(age >= 1_000_000_000n, `${age} ns`);
      }
    });
  }

  test('keeps it on its gateway, also from another port of the same client', () => {
    const first = new Flow({ port: 1 });
    const second = new Flow({ port: 2 });
    const gateways = [bed.direct(first.up(), rr), bed.direct(second.up(), rr)];
    assert.deepEqual(gateways.toSorted(), [gatewayAddress(1), gatewayAddress(2)]);
    for (const flags of ['S', 'A', 'PA', 'FA', 'A'])
      assert.deepEqual(
        [bed.direct(first.up(flags), rr), bed.direct(second.up(flags), rr)],
        gateways,
      );
  });

  test('keeps it on its gateway, also when both ends open it at once', () => {
    const flow = new Flow();
    const gateway = bed.direct(flow.up('S'), rr);
    bed.run('egress', flow.down('S'));
    for (const flags of ['SA', 'S', 'A']) {
      assert.equal(bed.direct(flow.up(flags), rr), gateway, `${flags} at the director`);
      assert.equal(bed.gatewayOf(bed.run('ingress', flow.up(flags)).mark), gateway, flags);
    }
    assert.equal(bed.connections.length, 1);
  });
});
