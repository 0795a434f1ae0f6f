// What the director says it would do with a connection, against what it then does; and that asking
// changes nothing.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, describe, test } from 'node:test';
import type { DryRun } from '../../src/explain/source.ts';
import { dryRun } from '../../src/kernel/dry-run.ts';
import { schedulerNames } from '../../src/kernel/read-table.ts';
import { persistenceKeys } from '../../src/model/persistence.ts';
import { failbacks, lastResorts } from '../../src/model/policy.ts';
import { flagNames } from '../../src/model/scheduler.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow, type FlowProtocol } from './flow.ts';
import { protocol as protocols } from './packet.ts';
import { type Random, randomOf } from './random.ts';
import type { ServiceOptions } from './service.ts';

const seed = Number(process.env.DRY_RUN_SEED ?? 1);
const flowsEach = Number(process.env.DRY_RUN_FLOWS ?? 200);

const bed = openBed({ gateways: 8 });
const { maps } = bed.director;
// Timers move averages: stopped, what changes is ours. The kernel cancels one whose entry is written over.
const clocks = maps.map('clocks');
for (const [key] of [...clocks.entries()]) clocks.set(key, Buffer.alloc(clocks.valueSize));

after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

function ask(flow: Flow, fwmark = 1): DryRun {
  const { client, server, family, port, serverPort, protocol: name } = flow;
  const hasPorts = name !== 'icmp' && name !== 'gre';
  const number = protocols[name === 'icmp' && family === 6 ? 'icmpv6' : name];
  return dryRun(
    bed.director,
    { fwmark, family },
    {
      ...{ protocol: number, client, server },
      clientPort: name === 'gre' ? 0 : port,
      serverPort: hasPorts ? serverPort : 0,
    },
  );
}

/** The gateway of an answer, as Bed.gatewayOf has it. */
const addressOf = ({ gateway }: DryRun): string =>
  gateway === 0 ? 'none' : bed.gatewayOf((gateway << bed.director.bits.shift) >>> 0);

/** What the mark says of a connection that no gateway takes, whatever slot it was given. */
const nowhere: Record<string, string> = {
  no_gateway: 'none',
  unreachable: 'refused',
  dropped: '-',
};

/** Asks, sends the flow's first packet, and asks again: all three must agree. */
function assertForetold(flow: Flow): void {
  const told = ask(flow);
  const { verdict, mark } = bed.run('director', flow.up(), 1);
  const what = `${flow.protocol} ${flow.client}:${flow.port} ${flow.server}: ${verdict}`;
  assert.equal(told.verdict.toUpperCase(), verdict, what);
  assert.equal(nowhere[told.verdict] ?? addressOf(told), bed.gatewayOf(mark), what);
  if (!['NEW', 'TEMPLATE', 'KNOWN'].includes(verdict)) return;
  const { connection, ...known } = ask(flow);
  assert.deepEqual(known, { verdict: 'known', reason: told.reason, gateway: told.gateway }, what);
  assert.equal(connection?.gateway, bed.gatewayOf(mark), what);
}

/** Every map's content but the place of the request itself. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const [name, map] of maps.byName) {
    if (name === 'requests') continue;
    const used = /^slot_(counts|stats|rates)$|^slots$/.test(name)
      ? bed.director.settings.slotsUsed
      : undefined;
    const ofMaps = name === 'services' || name === 'mh_tables' || name === 'connections';
    if (!ofMaps) for (const [key, value] of map.entries(used)) hash.update(key).update(value);
  }
  const entries = bed.connections.map((entry) =>
    JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  );
  return hash.update(entries.sort().join()).digest('hex');
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

function randomService(random: Random, scheduler: string): ServiceOptions {
  const netmasks = { 4: ['255.255.255.255', '255.255.255.254'], 6: ['128', '127'] };
  const family = pick(random, [4, 6] as const);
  return {
    ...{ scheduler, family },
    schedulerFlags: flagNames(scheduler).filter(() => random(2)),
    persistence: pick(random, [0, 60]),
    persistenceKey: pick(random, persistenceKeys),
    netmask: pick(random, netmasks[family]),
    onePacket: random(6) === 0,
    policy: {
      failback: pick(random, failbacks),
      lastResort: pick(random, lastResorts),
    },
    gateways: Array.from({ length: pick(random, [0, 1, 2, 4, 7]) }, (_, i) => [
      i + 1,
      {
        weight: pick(random, [0, 1, 1, 2, 3]),
        upper: pick(random, [0, 0, 0, 5]),
        lower: random(3),
        tier: pick(random, [0, 0, 1, 3]),
      },
    ]),
  };
}

const randomFlow = (random: Random, family: 4 | 6, number: number): Flow =>
  new Flow({
    protocol: pick<FlowProtocol>(random, ['tcp', 'tcp', 'tcp', 'udp', 'sctp', 'icmp']),
    client: family === 4 ? `10.0.0.${random(8) + 2}` : `fd00::${random(8) + 2}`,
    server: family === 4 ? `203.0.113.${random(8) + 1}` : `2001:db8:ff::${random(8) + 1}`,
    port: 1000 + number,
    serverPort: pick(random, [80, 443]),
  });

/** Distances and loads that lbw and lrtt choose by. */
function randomLoads(random: Random): void {
  for (const [id, load] of maps.gatewayLoads.all(16))
    maps.gatewayLoads.set(id, {
      ...load,
      ...{ downPart: random(2 ** 24), upPart: random(2 ** 24), freshPart: 1000 },
      rttUs: random(3) && random(50_000),
    });
}

/** What happens to connections and gateways between two questions. */
function disturb(random: Random, flows: readonly Flow[], family: 4 | 6): void {
  const flow = flows.length > 0 ? pick(random, flows) : undefined;
  if (flow && random(3) === 0) bed.run('egress', flow.down());
  if (flow && random(8) === 0) bed.run('ingress', flow.up(flow.protocol === 'tcp' ? 'FA' : 'DATA'));
  if (random(20) === 0) randomLoads(random);
  if (random(25) === 0)
    bed.editService(
      ({ gateways }) => ({
        gateways: gateways.map((one) => ({ ...one, weight: pick(random, [0, 1, 1, 2]) })),
      }),
      1,
      family,
    );
}

describe('the answer is what then happens', () => {
  for (const [number, scheduler] of Object.entries(schedulerNames))
    test(`with ${scheduler}, ${flowsEach} random flows (seed ${seed})`, () => {
      const random = randomOf(seed * 100 + Number(number));
      const flows: Flow[] = [];
      let family: 4 | 6 = 4;
      for (let number = 0; number < flowsEach; number++) {
        if (number % 40 === 0) {
          bed.clear();
          const service = randomService(random, scheduler);
          family = service.family ?? 4;
          flows.length = 0;
          bed.setService(service);
          randomLoads(random);
        }
        disturb(random, flows, family);
        const again = flows.length > 0 && random(10) === 0 ? pick(random, flows) : undefined;
        // A SYN on a finished one: see bpf/explain.h for what can't be foretold then.
        const flow =
          again && bed.stateOf(again) !== 'TIME_WAIT' ? again : randomFlow(random, family, number);
        assertForetold(flow);
        flows.push(flow);
      }
    });
});

describe('to ask', () => {
  for (const scheduler of Object.values(schedulerNames))
    test(`changes nothing with ${scheduler}`, () => {
      const random = randomOf(seed);
      for (const persistence of [0, 60]) {
        const gateways: ServiceOptions['gateways'] = [
          [1, 3],
          [2, 0],
          [3, { weight: 1, upper: 5 }],
        ];
        bed.renewService({ scheduler, persistence, gateways });
        const flows = Array.from({ length: 40 }, (_, i) => randomFlow(random, 4, i));
        for (const flow of flows.slice(0, 20)) bed.run('director', flow.up(), 1);
        const before = fingerprint();
        for (const flow of flows) for (let i = 0; i < 5; i++) ask(flow);
        assert.equal(fingerprint(), before);
      }
    });

  test('leaves an expired connection and an expired template where they are', () => {
    bed.setService({ persistence: 60, gateways: [[1], [2]] });
    const flow = new Flow();
    bed.run('director', flow.up(), 1);
    // Two names of one place.
    const withChildren = (children: number) => ({ children, beganS: children });
    bed.changeConnections((_, conn) => ({ ...conn, seenNs: 0n, ...withChildren(0) }));
    bed.setSettings({ timeoutS: bed.director.settings.timeoutS.map(() => 5) });
    const before = fingerprint();
    const { connection, template, verdict } = ask(flow);
    assert.deepEqual([verdict, connection], ['new', undefined]);
    // This machine may have been up for less than the template's 60 s.
    assert.ok(template === undefined || template.expires > 0);
    assert.equal(fingerprint(), before);
    bed.changeConnections((_, conn) => ({ ...conn, ...withChildren(1) }));
  });
});

describe('the answer', () => {
  test('names the template, though its gateway is drained', () => {
    bed.setService({ persistence: 60, gateways: [[1]] });
    bed.run('director', new Flow({ port: 1 }).up(), 1);
    bed.setService({ persistence: 60, gateways: [[1, 0], [2]] });
    const { verdict, reason, template, gateway } = ask(new Flow({ port: 2 }));
    assert.deepEqual([verdict, reason], ['new', 'scheduler']);
    assert.equal(template?.gateway, gatewayAddress(1));
    assert.equal(addressOf({ verdict, reason, gateway }), gatewayAddress(2));
  });

  test('is that there is no such service, or no gateway', () => {
    bed.clearServices();
    assert.deepEqual(ask(new Flow()), { verdict: 'no_service', reason: '', gateway: 0 });
    bed.setService({ gateways: [[1, 0]] });
    assert.deepEqual(ask(new Flow()), { verdict: 'no_gateway', reason: '', gateway: 0 });
  });

  test('is that the table is full, though a gateway would be chosen', () => {
    for (const [persistence, limit, verdict] of [
      [0, 0, 'TABLE_FULL'],
      [0, 1, 'NEW'],
      [60, 1, 'TABLE_FULL'],
      [60, 2, 'NEW'],
    ] as const) {
      bed.renewService({ persistence, gateways: [[1]] });
      bed.setSettings({ connectionLimit: limit });
      const told = ask(new Flow());
      assert.deepEqual([told.verdict.toUpperCase(), addressOf(told)], [verdict, gatewayAddress(1)]);
      assert.equal(bed.run('director', new Flow().up(), 1).verdict, verdict);
      bed.forget();
    }
  });

  test('is scheduled anew for a finished connection, which it shows', () => {
    bed.setService({ gateways: [[1]] });
    const flow = new Flow();
    bed.setSettings({ generation: 5 });
    bed.run('director', flow.up(), 1);
    bed.run('egress', flow.down('RA'));
    const { verdict, connection } = ask(flow);
    assert.deepEqual([verdict, connection?.state, connection?.generation], ['new', 'CLOSE', 5]);
  });

  test("is the reason of a living connection, whatever the services' gateways are now", () => {
    bed.setService({ gateways: [[1]] });
    const flow = new Flow();
    bed.run('director', flow.up(), 1);
    bed.setService({ gateways: [[1, 0], [2]] });
    const { verdict, reason, connection } = ask(flow);
    assert.deepEqual(
      [verdict, reason, connection?.gateway],
      ['known', 'scheduler', gatewayAddress(1)],
    );
  });
});
