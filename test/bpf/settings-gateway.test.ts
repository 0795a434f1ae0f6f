// The settings for gateways that are drained or deleted: expire_nodest_conn and
// expire_quiescent_template, where templates, families and gateways' ends meet.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client6, Flow, flows } from './flow.ts';
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

/** A packet at the director: its verdict and its gateway. */
function outcomeOf(flow: Flow, flags = 'S'): string {
  const { verdict, mark } = bed.run('director', flow.up(flags), 1);
  return `${verdict} ${bed.gatewayOf(mark)}`;
}

const stays = gatewayAddress(1);
/** Lies on wan2, and has no other service that would keep it. */
const goes = gatewayAddress(101);

/** A service whose first connection takes the gateway that will go. */
function serve(options: ServiceOptions = {}, setting: Partial<abi.Settings> = {}): void {
  bed.renewService({ gateways: [[1], [101]], ...options });
  bed.setSettings(setting);
}
const setGateways = (gateways: ServiceOptions['gateways'], options: ServiceOptions = {}): void =>
  bed.setService({ gateways, ...options });
const deleteIt = (options?: ServiceOptions): void => setGateways([[1]], options);
const drainIt = (options?: ServiceOptions): void => setGateways([[1], [101, 0]], options);

const persistent = { persistence: 60 };
const isTemplate = ([key]: [abi.ConnKey, abi.Conn]): boolean => key.protocol === 0;

describe("expire_nodest_conn 1: a deleted gateway's connection", () => {
  for (const [hook, packet] of [
    ['ingress', (flow: Flow) => flow.up('A')],
    ['egress', (flow: Flow) => flow.down('A')],
  ] as const)
    test(`is forgotten by its next packet at ${hook}`, () => {
      serve({}, { expireNodestConn: 1 });
      const flow = new Flow();
      assert.equal(outcomeOf(flow), `NEW ${goes}`);
      deleteIt();
      assert.equal(bed.run(hook, packet(flow)).verdict, 'UNKNOWN');
      assert.deepEqual(bed.connections, []);
    });

  for (const protocol of ['tcp', 'udp', 'icmp'] as const)
    test(`of ${protocol} is scheduled anew where the packet may begin one`, () => {
      serve({}, { expireNodestConn: 1 });
      const flow = new Flow({ protocol });
      outcomeOf(flow);
      deleteIt();
      assert.equal(outcomeOf(flow), `NEW ${stays}`);
      assert.equal(bed.connections.length, 1);
    });

  test('is forgotten without a packet too, and so are templates', async () => {
    serve(persistent, { expireNodestConn: 1 });
    bed.renewService({ family: 6, gateways: [[101]], ...persistent });
    for (const flow of flows(5)) outcomeOf(flow);
    for (const flow of flows(5, { client: client6, protocol: 'udp' })) outcomeOf(flow);
    assert.equal(bed.connections.length, 12);
    deleteIt(persistent);
    bed.setService({ family: 6, ...persistent });
    // Templates may need a second walk: the first takes what they control.
    await waitUntil('the table is empty', () => bed.connections.length === 0, 15_000);
  });

  test('does not come back with its gateway', async () => {
    serve({}, { expireNodestConn: 1 });
    const flow = new Flow();
    outcomeOf(flow);
    deleteIt();
    await waitUntil('the sweep', () => bed.connections.length === 0, 15_000);
    setGateways([[1], [101]]);
    assert.equal(outcomeOf(flow, 'A'), 'MIDSTREAM none');
  });

  test('of another gateway is left alone', () => {
    serve({}, { expireNodestConn: 1 });
    const [gone, kept] = flows(2);
    for (const flow of [gone, kept]) outcomeOf(flow!);
    deleteIt();
    assert.equal(outcomeOf(kept!, 'A'), `KNOWN ${stays}`);
  });
});

describe("expire_nodest_conn 1: a deleted gateway's template", () => {
  test('without connections is forgotten when its client comes', () => {
    serve(persistent, { expireNodestConn: 1 });
    const [old, next] = flows(2);
    outcomeOf(old!);
    bed.expire(old!);
    deleteIt(persistent);
    assert.equal(outcomeOf(next!), `NEW ${stays}`);
    assert.equal(bed.connections.filter(isTemplate).length, 1);
  });

  test('with connections elsewhere is theirs as before, and leads its client elsewhere', () => {
    // Made on gateway 1, moved to 101 by a drain, which is then deleted.
    serve({ ...persistent, gateways: [[1]] }, { expireNodestConn: 1 });
    const [old, moved, next] = flows(3);
    assert.equal(outcomeOf(old!), `NEW ${stays}`);
    setGateways([[1, 0], [101]], persistent);
    assert.equal(outcomeOf(moved!), `NEW ${goes}`);
    deleteIt(persistent);
    assert.equal(outcomeOf(next!), `NEW ${stays}`);
    assert.equal(outcomeOf(moved!, 'A'), 'MIDSTREAM none');
    assert.equal(outcomeOf(old!, 'A'), `KNOWN ${stays}`);
    const templates = bed.connections.filter(isTemplate);
    assert.deepEqual(
      templates.map(([, { children }]) => children),
      [2],
    );
  });
});

describe("a SYN on a drained gateway's connection", () => {
  for (const setting of [0, 1]) {
    test(`is ${setting ? 'forgotten' : 'known'} at ingress by expire_nodest_conn ${setting}`, () => {
      serve({}, { expireNodestConn: setting });
      const flow = new Flow();
      outcomeOf(flow);
      drainIt();
      assert.equal(bed.run('ingress', flow.up('A')).verdict, 'KNOWN');
      assert.equal(bed.run('ingress', flow.up()).verdict, setting ? 'UNKNOWN' : 'KNOWN');
    });

    test(`of a persistent client follows its template: expire_nodest_conn ${setting}`, () => {
      for (const expireQuiescentTemplate of [0, 1]) {
        serve(persistent, { expireNodestConn: setting, expireQuiescentTemplate });
        const flow = new Flow();
        outcomeOf(flow);
        drainIt(persistent);
        const anew = expireQuiescentTemplate ? `NEW ${stays}` : `TEMPLATE ${goes}`;
        assert.equal(outcomeOf(flow), setting ? anew : `KNOWN ${goes}`);
        assertExact(bed);
        bed.forget();
      }
    });
  }

  test('is not a datagram: UDP and ICMP stay, whatever is set', () => {
    serve({}, { expireNodestConn: 1 });
    const all = (['udp', 'icmp'] as const).map((protocol) => new Flow({ protocol }));
    setGateways([[101]]);
    for (const flow of all) outcomeOf(flow);
    drainIt();
    for (const flow of all) assert.equal(outcomeOf(flow), `KNOWN ${goes}`);
  });
});

describe('expire_quiescent_template', () => {
  test('0: a client whose gateways are all drained still has its own', () => {
    serve({ ...persistent, gateways: [[101]] }, { expireQuiescentTemplate: 0 });
    const [old, next] = flows(2);
    outcomeOf(old!);
    setGateways([[101, 0]], persistent);
    assert.equal(outcomeOf(next!), `TEMPLATE ${goes}`);
    assert.equal(outcomeOf(new Flow({ client: '10.0.0.3' })), 'NO_GATEWAY none');
  });
});
