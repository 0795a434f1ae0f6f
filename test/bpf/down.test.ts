// Gateways that are down: who is not chosen, who leaves and how, and that counters stay what the table says.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { type Bed, gatewayAddress, openBed } from './bed.ts';
import { changeSlots, idOf, passOn, setFlags, setOnDown, takeDown, takeUp } from './down.ts';
import { assertExact } from './exact.ts';
import { Flow, type FlowProtocol } from './flow.ts';

const bed: Bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    takeUp(bed);
    for (const gateway of [1, 2, 3, 4]) setFlags(bed, gateway, 0);
    bed.forget();
  }
});

const [one, two] = [gatewayAddress(1), gatewayAddress(2)];
const { GATEWAY_KEEPS_SOURCE } = abi.gatewayFlag;

/** A service in which gateway 2 takes everything while it can. */
function serve(action: 'KEEP' | 'RESET' | 'RESCHEDULE', options = {}): void {
  bed.renewService({ scheduler: 'fo', gateways: [[1], [2, 2]], ...options });
  setOnDown(bed, 1, action);
}

/** A connection through gateway 2, answered. */
function open(flow: Flow, answer?: string): void {
  assert.equal(bed.direct(flow.up()), two);
  bed.run('egress', flow.down(answer));
}

const pass = (flow: Flow, flags?: string): string => passOn(bed, flow, flags);
const entryOf = ({ port }: Flow) =>
  [...readConnections(bed.director)].find(({ clientPort }) => clientPort === port);

const tcp = new Flow();
const others: FlowProtocol[] = ['udp', 'icmp', 'gre', 'sctp'];

describe('a gateway that is down', () => {
  test('takes no new connection, with the next packet', () => {
    serve('KEEP');
    takeDown(bed, [2]);
    assert.equal(bed.direct(tcp.up()), one);
    takeUp(bed);
    assert.equal(bed.direct(new Flow({ port: 4001 }).up()), two);
  });

  test('is taken down and up by less than a millisecond of work', () => {
    const id = idOf(bed, 2);
    const start = performance.now();
    for (let n = 0; n < 50; n++) setDown(bed.director, [id], n % 2 === 0);
    assert.ok((performance.now() - start) / 50 < 1);
  });

  test("gets no more of its clients' new connections; their templates go with them", () => {
    serve('KEEP', { persistence: 60 });
    open(tcp);
    takeDown(bed, [2]);
    const next = bed.run('director', new Flow({ port: 4001 }).up(), 1);
    assert.deepEqual([next.verdict, bed.gatewayOf(next.mark)], ['NEW', one]);
    takeUp(bed);
    const after = bed.run('director', new Flow({ port: 4002 }).up(), 1);
    assert.deepEqual([after.verdict, bed.gatewayOf(after.mark)], ['TEMPLATE', one]);
  });
});

describe('connections of a gateway that is down', () => {
  test('stay with on-down keep', () => {
    serve('KEEP');
    open(tcp);
    takeDown(bed, [2]);
    assert.equal(pass(tcp, 'A'), `KNOWN ${two}`);
    assert.equal(bed.counts(), '1/0 0/0');
  });

  test('end with reset, if they are TCP: packets that follow are refused, too', () => {
    serve('RESET');
    open(tcp);
    takeDown(bed, [2]);
    assert.equal(pass(tcp, 'A'), 'RESET refused');
    assert.equal(pass(tcp, 'PA'), 'RESET refused');
    assert.equal(entryOf(tcp)?.state, 'CLOSE');
    assert.equal(bed.counts(), '0/1 0/0');
  });

  test('begin anew with a SYN, whatever there was before', () => {
    for (const action of ['RESET', 'RESCHEDULE'] as const) {
      serve(action);
      bed.direct(tcp.up());
      takeDown(bed, [2]);
      assert.equal(pass(tcp), `UNKNOWN NEW ${one}`);
      takeUp(bed);
      bed.forget();
    }
  });

  for (const protocol of others)
    test(`go on by another with reset, if they are ${protocol}, as if they were new`, () => {
      serve('RESET');
      const flow = new Flow({ protocol });
      open(flow);
      takeDown(bed, [2]);
      const more = protocol === 'sctp' ? 'DATA' : undefined;
      assert.equal(pass(flow, more), `MOVED MOVED ${one}`);
      assert.equal(pass(flow, more), `KNOWN ${one}`);
      assert.equal(readConnectionsOf('moved').length, 1);
      takeUp(bed);
      assert.equal(pass(flow, more), `KNOWN ${one}`);
    });

  test('go on by another with reschedule, TCP in the state that it has', () => {
    serve('RESCHEDULE');
    open(tcp);
    pass(tcp, 'A');
    bed.run('egress', tcp.down('FA'));
    const { state } = entryOf(tcp)!;
    takeDown(bed, [2]);
    assert.equal(pass(tcp, 'A'), `MOVED MOVED ${one}`);
    assert.equal(entryOf(tcp)?.state, state);
    assert.equal(pass(tcp, 'A'), `KNOWN ${one}`);
  });

  test('go on with reset, too, where both gateways leave the sender its address', () => {
    for (const [first, second, verdict] of [
      [GATEWAY_KEEPS_SOURCE, GATEWAY_KEEPS_SOURCE, `MOVED MOVED ${one}`],
      [GATEWAY_KEEPS_SOURCE, 0, 'RESET refused'],
      [0, GATEWAY_KEEPS_SOURCE, 'RESET refused'],
    ] as const) {
      serve('RESET');
      setFlags(bed, 1, first);
      setFlags(bed, 2, second);
      open(tcp);
      takeDown(bed, [2]);
      assert.equal(pass(tcp, 'A'), verdict);
      takeUp(bed);
      bed.forget();
    }
  });

  test('stay where no other gateway would take them', () => {
    for (const action of ['RESET', 'RESCHEDULE'] as const) {
      serve(action);
      const udp = new Flow({ protocol: 'udp' });
      open(tcp);
      open(udp);
      takeDown(bed, [1, 2]);
      assert.equal(pass(tcp, 'A'), `KNOWN ${two}`);
      assert.equal(pass(udp), `KNOWN ${two}`);
      takeUp(bed);
      bed.forget();
    }
  });

  test('leave also if no LAN program sees them', () => {
    serve('RESET');
    const udp = new Flow({ protocol: 'udp' });
    open(tcp);
    open(udp);
    takeDown(bed, [2]);
    const reset = bed.run('director', tcp.up('A'), 1);
    assert.deepEqual([reset.verdict, bed.gatewayOf(reset.mark)], ['RESET', 'refused']);
    const moved = bed.run('director', udp.up(), 1);
    assert.deepEqual([moved.verdict, bed.gatewayOf(moved.mark)], ['MOVED', one]);
  });

  test('take their template along', () => {
    serve('RESCHEDULE', { persistence: 60 });
    const udp = new Flow({ protocol: 'udp' });
    open(udp);
    takeDown(bed, [2]);
    assert.equal(pass(udp), `MOVED MOVED ${one}`);
    takeUp(bed);
    const next = bed.run('director', new Flow({ port: 4001 }).up(), 1);
    assert.deepEqual([next.verdict, bed.gatewayOf(next.mark)], ['TEMPLATE', one]);
  });

  test('are not disturbed by late answers, nor taken for alive by what we send in their name', () => {
    serve('RESET');
    const udp = new Flow({ protocol: 'udp' });
    open(tcp);
    open(udp);
    takeDown(bed, [2]);
    const bytes = () => bed.service().totals.outBytes;
    pass(udp);
    assert.equal(bed.run('egress', udp.down()).verdict, 'KNOWN');
    const before = bytes();
    const poke = bed.run('egress', tcp.down('A'), (abi.limits.GATEWAY_REFUSED << 24) >>> 0);
    assert.equal(poke.verdict, 'RESET');
    assert.equal(pass(tcp, 'A'), 'RESET refused');
    assert.equal(bed.run('egress', tcp.down('R')).verdict, 'RESET');
    assert.equal(bytes(), before);
  });
});

const readConnectionsOf = (reason: string) =>
  [...readConnections(bed.director)].filter((entry) => entry.reason === reason);

describe('connections that are told to leave', () => {
  const now = () => Math.floor(Number(process.hrtime.bigint() / 1_000_000_000n));

  test('go, and those that began later stay', () => {
    serve('RESCHEDULE');
    const old = new Flow({ protocol: 'udp' });
    const young = new Flow({ protocol: 'udp', port: 4001 });
    open(old);
    open(young);
    bed.changeConnections((key, conn) => ({
      ...conn,
      beganS: now() + (key.clientPort === young.port ? 5 : -5),
    }));
    changeSlots(bed, 1, ({ weight }) => (weight === 2 ? { leaveS: now(), weight: 0 } : {}));
    assert.equal(pass(old), `MOVED MOVED ${one}`);
    assert.equal(pass(young), `KNOWN ${two}`);
  });

  test('stay where they would have to leave again', () => {
    serve('RESCHEDULE');
    const udp = new Flow({ protocol: 'udp' });
    open(udp);
    changeSlots(bed, 1, ({ weight }) => ({ leaveS: now() + 5, weight: weight === 2 ? 0 : 1 }));
    assert.equal(pass(udp), `KNOWN ${two}`);
  });
});

describe('connections of a gateway that was deleted', () => {
  const last = gatewayAddress(103);
  /** Gateway 103 has no other service, so that it goes with this one. */
  function lose(action: 'KEEP' | 'RESET' | 'RESCHEDULE', flow: Flow): void {
    serve(action, { gateways: [[1], [103, 2]] });
    assert.equal(bed.direct(flow.up()), last);
    bed.editService(({ gateways }) => ({
      gateways: gateways.filter(({ address }) => address !== last),
    }));
  }

  test('go on by the main table with keep, and as from one that is down else', () => {
    lose('KEEP', tcp);
    assert.equal(pass(tcp, 'A'), 'GATEWAY_GONE -');
    bed.forget();
    lose('RESET', tcp);
    assert.equal(pass(tcp, 'A'), 'RESET refused');
    bed.forget();
    const udp = new Flow({ protocol: 'udp' });
    lose('RESCHEDULE', udp);
    assert.equal(pass(udp), `MOVED MOVED ${one}`);
  });
});
