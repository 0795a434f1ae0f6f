// The director's settings, which IPVS has as sysctls: what each makes of a packet, and its default.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { waitUntil } from '../../src/util/wait-until.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
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

/** rr between two: the first connection of a new service gets gateway 2, the next one 1 … */
const serve = (options: ServiceOptions = {}): void =>
  bed.renewService({ gateways: [[1], [2]], ...options });
const change = (options: ServiceOptions): void =>
  bed.setService({ gateways: [[1], [2]], ...options });
const verdictOf = (flow: Flow, flags = 'S'): string =>
  bed.run('director', flow.up(flags), 1).verdict;

describe('conn_reuse_mode', () => {
  /** By mode: is a SYN on a connection in this state scheduled anew? ipvs-semantics §1.7. */
  const modes: [state: string, packets: string, anew: [boolean, boolean, boolean, boolean]][] = [
    ['CLOSE', 'A RA', [false, true, true, true]],
    ['FIN_WAIT', 'A FA', [false, false, true, true]],
    ['TIME_WAIT', 'F', [false, true, true, true]],
    ['ESTABLISHED', 'A', [false, false, false, false]],
  ];
  for (const persistence of [0, 60])
    for (const [state, packets, anew] of modes)
      for (const [mode, isAnew] of anew.entries()) {
        const controlled = persistence ? ', through its template' : '';
        const what = isAnew ? 'schedules anew' : 'keeps';
        test(`${mode} ${what} a connection in ${state}${controlled}`, () => {
          serve({ persistence });
          bed.setSettings({ connReuseMode: mode });
          const flow = new Flow();
          verdictOf(flow);
          for (const flags of packets.split(' ')) bed.run('ingress', flow.up(flags));
          assert.equal(bed.stateOf(flow), state);
          const fresh = persistence ? 'TEMPLATE' : 'NEW';
          assert.equal(verdictOf(flow), isAnew ? fresh : 'KNOWN');
        });
      }

  for (const mode of [0, 1])
    test(`${mode} ${mode ? 'forgets' : 'keeps'} a finished one at ingress: nobody may mark its SYN`, () => {
      serve();
      bed.setSettings({ connReuseMode: mode });
      const flow = new Flow();
      verdictOf(flow);
      bed.run('egress', flow.down('RA'));
      assert.equal(bed.run('ingress', flow.up()).verdict, mode ? 'UNKNOWN' : 'KNOWN');
      assert.equal(bed.connections.length, 1 - mode);
    });

  test('3 is for a SYN alone: other packets stay', () => {
    serve();
    bed.setSettings({ connReuseMode: 3 });
    const flow = new Flow();
    verdictOf(flow);
    bed.run('egress', flow.down('RA'));
    for (const flags of ['A', 'FA', 'SA', 'R'])
      assert.equal(verdictOf(flow, flags), 'KNOWN', flags);
  });

  test('2 keeps one in FIN_WAIT that was answered', () => {
    serve();
    bed.setSettings({ connReuseMode: 2 });
    const flow = new Flow();
    verdictOf(flow);
    bed.run('egress', flow.down('SA'));
    bed.run('ingress', flow.up('A'));
    bed.run('egress', flow.down('FA'));
    assert.equal(bed.stateOf(flow), 'FIN_WAIT');
    assert.equal(verdictOf(flow), 'KNOWN');
  });
});

describe('expire_nodest_conn', () => {
  const alone: ServiceOptions = { gateways: [[1]] };

  test('0 keeps what a deleted gateway had until it returns', () => {
    serve();
    const flow = new Flow();
    const gateway = bed.direct(flow.up());
    assert.equal(gateway, gatewayAddress(2));
    change(alone);
    bed.run('ingress', flow.up('A'));
    change({});
    assert.equal(bed.direct(flow.up('A')), gateway);
  });

  test('1 forgets it at once: mid-stream TCP goes on by the main table, a SYN is new', () => {
    serve({ persistence: 60 });
    bed.setSettings({ expireNodestConn: 1 });
    const flow = new Flow();
    assert.equal(bed.direct(flow.up()), gatewayAddress(2));
    change({ ...alone, persistence: 60 });
    assert.equal(bed.run('ingress', flow.up('A')).verdict, 'UNKNOWN');
    assert.equal(verdictOf(flow, 'A'), 'MIDSTREAM');
    assert.equal(verdictOf(flow), 'NEW');
    assert.equal(bed.counts(), '1/0');
  });

  test('1 takes its connections and templates out of the table with no packet', async () => {
    serve({ persistence: 60 });
    bed.setSettings({ expireNodestConn: 1 });
    // Two clients: one of each gateway.
    for (const client of ['10.0.0.2', '10.0.0.3']) verdictOf(new Flow({ client }));
    assert.equal(bed.connections.length, 4);
    change({ ...alone, persistence: 60 });
    await waitUntil('half the table', () => bed.connections.length === 2, 15_000);
  });

  for (const [mode, verdict] of [
    [0, 'KNOWN'],
    [1, 'NEW'],
  ] as const)
    test(`${mode} finds the connection of a drained gateway ${verdict} to a SYN`, () => {
      serve();
      bed.setSettings({ expireNodestConn: mode });
      const flow = new Flow();
      verdictOf(flow);
      change({ gateways: [[1], [2, 0]] });
      assert.equal(bed.run('ingress', flow.up('A')).verdict, 'KNOWN');
      assert.equal(verdictOf(flow), verdict);
    });
});

describe('expire_quiescent_template', () => {
  for (const [mode, number, verdict] of [
    [0, 2, 'TEMPLATE'],
    [1, 1, 'NEW'],
  ] as const)
    test(`${mode} gives the client of a drained gateway gateway ${number}`, () => {
      serve({ persistence: 60 });
      bed.setSettings({ expireQuiescentTemplate: mode });
      assert.equal(bed.direct(new Flow({ port: 1 }).up()), gatewayAddress(2));
      change({ persistence: 60, gateways: [[1], [2, 0]] });
      const { verdict: had, mark } = bed.run('director', new Flow({ port: 2 }).up(), 1);
      assert.deepEqual([had, bed.gatewayOf(mark)], [verdict, gatewayAddress(number)]);
    });

  test('0 does not follow a template to a deleted gateway', () => {
    serve({ persistence: 60 });
    bed.setSettings({ expireQuiescentTemplate: 0 });
    verdictOf(new Flow({ port: 1 }));
    change({ persistence: 60, gateways: [[1]] });
    assert.equal(bed.direct(new Flow({ port: 2 }).up()), gatewayAddress(1));
  });
});

describe('sloppy_tcp', () => {
  for (const [flags, state] of [
    ['A', 'ESTABLISHED'],
    ['PA', 'ESTABLISHED'],
    ['F', 'CLOSE'],
    ['FA', 'CLOSE'],
    ['P', 'CLOSE'],
    ['', 'CLOSE'],
  ] as const)
    test(`1 begins a connection in ${state} with "${flags}", 0 none`, () => {
      serve();
      const flow = new Flow();
      assert.equal(verdictOf(flow, flags), 'MIDSTREAM');
      bed.setSettings({ sloppyTcp: 1 });
      assert.equal(verdictOf(flow, flags), 'NEW');
      assert.equal(bed.stateOf(flow), state);
    });

  test('1 begins none with RST, nor with the SYN and ACK that answer one from outside', () => {
    serve();
    bed.setSettings({ sloppyTcp: 1 });
    for (const flags of ['R', 'RA', 'FR', 'SR', 'SA'])
      assert.equal(verdictOf(new Flow(), flags), 'MIDSTREAM', flags);
    assert.deepEqual(bed.connections, []);
  });

  test('1 begins one that follows the template of its client, and measures nothing', () => {
    serve({ persistence: 60 });
    bed.setSettings({ sloppyTcp: 1 });
    assert.equal(verdictOf(new Flow({ port: 1 }), 'A'), 'NEW');
    assert.equal(verdictOf(new Flow({ port: 2 }), 'A'), 'TEMPLATE');
    assert.ok(bed.connections.every(([, { openedUs }]) => openedUs === 0));
  });
});

test('the defaults are IPVS’s, but that clients leave a drained gateway', () => {
  const { connReuseMode, expireNodestConn, expireQuiescentTemplate, sloppyTcp, sloppySctp } =
    bed.director.settings;
  assert.deepEqual(
    { connReuseMode, expireNodestConn, expireQuiescentTemplate, sloppyTcp, sloppySctp },
    {
      ...{ connReuseMode: 1, expireNodestConn: 0, expireQuiescentTemplate: 1 },
      ...{ sloppyTcp: 0, sloppySctp: 0 },
    },
  );
});
