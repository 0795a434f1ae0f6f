// From a configuration and what there is to what shall be.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Config, HookConfig, ProbeConfig } from '../model/config.ts';
import type { Environment, LinkFacts } from '../model/environment.ts';
import { defaultMonitor, defaultPolicy } from '../model/monitor.ts';
import type { Table } from '../model/table.ts';
import { describePlan } from './describe.ts';
import type { KnownGateways } from './hops.ts';
import { type Have, type Plan, planConfig } from './plan.ts';

const v4 = (address: string, length = 24) => ({
  family: 4 as const,
  address,
  length,
  global: true,
});

const link = (name: string, given: Partial<LinkFacts> = {}): LinkFacts => ({
  ...{ name, ifindex: 1, up: true, carrier: true, loopback: false, ethernet: true, mtu: 1500 },
  ...{ addresses: [], ...given },
});

const environment: Environment = {
  links: [
    link('eth0', { addresses: [v4('10.0.0.1')] }),
    link('eth1', { addresses: [v4('192.0.2.2')] }),
    link('eth2', { addresses: [v4('203.0.113.2')] }),
  ],
  defaults: [{ family: 4, link: 'eth2', via: '203.0.113.1', metric: 0 }],
  families: [4],
};

const masquerade = { 4: { kind: 'masquerade' }, 6: { kind: 'masquerade' } } as const;

const gateway = (name: string, link: string, via: Config['gateways'][number]['via']) => ({
  ...{ name, link, via, snat: masquerade },
  ...{ mtu: 0, capacity: { down: 0, up: 0 }, monitor: defaultMonitor, resolvers: [] },
});

const inService = (name: string, weight = 1) => ({
  ...{ gateway: name, weight, upper: 0, lower: 0, tier: 1 },
});

const config: Config = {
  ...{
    lan: [],
    router: '',
    connections: 1024,
    markMask: 0xff000000,
    settings: {},
    sets: [],
    rules: [],
    hooks: [],
  },
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  api: { group: '', metricsListen: '', metricsTokenFile: '' },
  gateways: [
    gateway('fiber', 'eth1', { 4: { kind: 'address', address: '192.0.2.1' } }),
    gateway('lte', 'eth2', { 4: { kind: 'auto' } }),
  ],
  services: [
    {
      ...{ name: 'web', fwmark: 1, scheduler: 'wrr', schedulerFlags: [], persistence: 0 },
      ...{ persistenceKey: 'source', netmask: { 4: 32, 6: 128 }, onePacket: false },
      ...defaultPolicy,
      gateways: [inService('fiber', 3), inService('lte')],
    },
  ],
};

const emptyTable: Table = { services: [], timeouts: config.timeouts, size: 1024 };
const nothing: Have = { table: emptyTable, known: new Map(), applied: undefined, environment };

const weights = (plan: Plan): Record<string, number> =>
  Object.fromEntries(
    plan.table.services.flatMap(({ gateways }) => gateways.map((g) => [g.address, g.weight])),
  );

/** What there is once a plan is carried out. */
function after({ table, gateways, gatewayIds, objects }: Plan, changed = environment): Have {
  const known: KnownGateways = new Map(
    gateways.flatMap(({ key, address, link }) => {
      const id = gatewayIds[key];
      return id === undefined ? [] : [[id, { address, link, present: true }] as const];
    }),
  );
  return { table, known, applied: { config, gatewayIds, objects }, environment: changed };
}

const changeLink = (name: string, given: Partial<LinkFacts>): Environment => ({
  ...environment,
  links: environment.links.map((each) => (each.name === name ? { ...each, ...given } : each)),
});

describe('a plan', () => {
  const first = planConfig(config, {}, nothing);

  test('finds the next hop of the file, and that of the main table', () => {
    assert.deepEqual(weights(first), { '192.0.2.1': 3, '203.0.113.1': 1 });
    assert.deepEqual(first.gatewayIds, { 'lte/4': 1, 'fiber/4': 2 });
  });

  test('is the same once it is carried out', () => {
    const second = planConfig(config, {}, after(first));
    assert.deepEqual(second.table, first.table);
    assert.deepEqual(second.objects, first.objects);
    assert.deepEqual(second.moves, []);
  });

  test('keeps the places of gateways that the file lists in another order', () => {
    const [web] = config.services;
    const turned = { ...config, services: [{ ...web!, gateways: web!.gateways.toReversed() }] };
    assert.deepEqual(planConfig(turned, {}, after(first)).table, first.table);
  });

  for (const [what, changed] of [
    ['is gone', { ...environment, links: environment.links.filter(({ name }) => name !== 'eth2') }],
    ['is down', changeLink('eth2', { up: false })],
    ['has no carrier', changeLink('eth2', { carrier: false })],
    ['has no address', changeLink('eth2', { addresses: [] })],
    ['has no default route', { ...environment, defaults: [] }],
  ] satisfies [string, Environment][])
    test(`sends nothing new to a gateway whose link ${what}, which keeps its id`, () => {
      const plan = planConfig(config, {}, after(first, changed));
      assert.deepEqual(weights(plan), { '192.0.2.1': 3, '203.0.113.1': 0 });
      assert.notEqual(plan.gateways.find(({ name }) => name === 'lte')?.unavailable, '');
      assert.deepEqual(plan.gatewayIds, first.gatewayIds);
    });

  test('has a gateway follow its next hop to another address, with its connections', () => {
    const defaults = [{ family: 4 as const, link: 'eth2', via: '203.0.113.254', metric: 0 }];
    const plan = planConfig(config, {}, after(first, { ...environment, defaults }));
    assert.deepEqual(
      plan.moves.map(({ id, from, address }) => [id, from, address]),
      [[1, '203.0.113.1', '203.0.113.254']],
    );
    assert.deepEqual(plan.gatewayIds, first.gatewayIds);
    assert.deepEqual(weights(plan), { '192.0.2.1': 3, '203.0.113.254': 1 });
  });

  test('gives two gateways that change names the ids that their next hops have', () => {
    const [fiber, lte] = config.gateways;
    const swapped = {
      ...config,
      gateways: [
        { ...fiber!, name: 'lte' },
        { ...lte!, name: 'fiber' },
      ],
    };
    const plan = planConfig(swapped, {}, after(first));
    assert.deepEqual([plan.moves, plan.gatewayIds], [[], { 'fiber/4': 1, 'lte/4': 2 }]);
  });

  test('names the link of a next hop that two links could have', () => {
    const both = changeLink('eth2', { addresses: [v4('192.0.2.77')] });
    const plan = planConfig(config, {}, { ...nothing, environment: both });
    assert.equal(plan.gateways[0]?.address, '192.0.2.1%eth1');
  });

  test('needs no next hop where the link itself is the way', () => {
    const ppp = {
      ...config,
      gateways: [gateway('fiber', 'ppp0', { 4: { kind: 'onlink' } }), config.gateways[1]!],
    };
    const plan = planConfig(ppp, {}, nothing);
    assert.equal(plan.gateways[0]?.address, '0.0.0.0%ppp0');
    assert.match(plan.gateways[0]?.unavailable ?? '', /no link ppp0/);
  });

  test('drains and disables as the admin told', () => {
    assert.deepEqual(weights(planConfig(config, { lte: 'drained' }, nothing)), {
      '192.0.2.1': 3,
      '203.0.113.1': 0,
    });
    assert.deepEqual(weights(planConfig(config, { lte: 'disabled' }, nothing)), { '192.0.2.1': 3 });
  });

  test('leaves services that no configuration had', () => {
    const [web] = first.table.services;
    const have = { ...nothing, table: { ...emptyTable, services: [{ ...web!, fwmark: 9 }] } };
    assert.deepEqual(
      planConfig(config, {}, have).table.services.map(({ fwmark }) => fwmark),
      [9, 1],
    );
    const next = { ...config, services: [] };
    assert.deepEqual(planConfig(next, {}, after(first)).table.services, []);
  });

  test('clamps links that are smaller than the LAN’s, or told to be', () => {
    const small = changeLink('eth1', { mtu: 1492 });
    const plan = planConfig(config, {}, { ...nothing, environment: small });
    assert.deepEqual(plan.objects.clamps, [{ link: 'eth1', mtu: 1492 }]);
    const told = { ...config, gateways: [{ ...config.gateways[0]!, mtu: 1400 }] };
    const [fiber] = planConfig({ ...told, services: [] }, {}, nothing).objects.clamps;
    assert.deepEqual(fiber, { link: 'eth1', mtu: 1400 });
  });
});

describe('what a plan changes', () => {
  const first = planConfig(config, {}, nothing);
  const busy: Table = {
    ...first.table,
    services: first.table.services.map((service) => ({
      ...service,
      gateways: service.gateways.map((g) => ({ ...g, active: 2, inactive: 1 })),
    })),
  };
  const applied = { config, file: '', generation: 1, appliedAt: '', admin: {}, unavailable: {} };
  const tell = (next: Config) => {
    const have = { ...after(first), table: busy };
    const plan = planConfig(next, {}, have);
    const before = {
      ...applied,
      ...have.applied!,
      nftDigest: '',
      unconfirmed: null,
      health: {},
      leaves: [],
    };
    return describePlan({ config: next, applied: before, have: busy, plan, repairs: [] });
  };

  test('is nothing where nothing changed', () => {
    assert.deepEqual(tell(config), { changes: [], connections: { total: 6, move: 0, cut: 0 } });
  });

  test('is told with what it costs', () => {
    const [web] = config.services;
    const next = {
      ...config,
      services: [{ ...web!, scheduler: 'wlc', gateways: [inService('fiber', 1)] }],
    };
    const { changes, connections } = tell(next);
    assert.deepEqual(
      changes.map(({ verb, what, detail }) => `${verb} ${what}: ${detail}`),
      [
        'change service web (IPv4): scheduler wrr -> wlc',
        'change service web (IPv4): gateway fiber: weight 3 -> 1',
        'remove service web (IPv4): gateway lte: 3 connections lose it',
      ],
    );
    assert.deepEqual(connections, { total: 6, move: 0, cut: 3 });
  });

  const lines = (next: Config): string[] =>
    tell(next).changes.map(({ verb, what, detail }) => `${verb} ${what}: ${detail}`);

  test('is told in words where a gateway is watched in another way, and changes nothing else', () => {
    const probes: ProbeConfig[] = [
      { kind: 'ping', address: '198.51.100.7' },
      { kind: 'tcp', address: '198.51.100.7', port: 443 },
      { kind: 'dns', address: '198.51.100.7', port: 53, name: 'a.example' },
      { kind: 'http', url: 'http://a.example/', status: [200, 204], body: 'right' },
      { kind: 'command', command: ['/bin/probe', '-x'] },
      { kind: 'bfd' },
    ];
    const [fiber, lte] = config.gateways;
    const monitor = {
      ...defaultMonitor,
      probes,
      timeoutMs: 1500,
      hold: { first: 5000, most: 5000 },
    };
    const limits = { loss: { down: 20, up: 5 }, latency: { down: 300, up: 150 } };
    const next = { ...config, gateways: [{ ...fiber!, monitor: { ...monitor, ...limits } }, lte!] };
    assert.deepEqual(lines(next), [
      'change gateway fiber: monitor probes neighbour -> ping 198.51.100.7, tcp 198.51.100.7 port 443, ' +
        'dns a.example of 198.51.100.7, http http://a.example/ 200 or 204 with "right", command /bin/probe -x, bfd, ' +
        'monitor timeout 500ms -> 1500ms, monitor loss none -> 20% down, 5% up, ' +
        'monitor latency none -> 300ms down, 150ms up, monitor hold 1s to 60s -> 5s',
    ]);
    const plan = planConfig(next, {}, after(first));
    assert.deepEqual([plan.table, plan.objects], [first.table, first.objects]);
  });

  test('is told where hooks, resolvers or what becomes of connections are others', () => {
    const [fiber, lte] = config.gateways;
    const [web] = config.services;
    const hook: HookConfig = { on: ['down', 'up'], command: ['/bin/tell', 'me'], timeoutMs: 500 };
    const next: Config = {
      ...config,
      gateways: [{ ...fiber!, resolvers: ['192.0.2.53', '192.0.2.54'] }, lte!],
      services: [
        {
          ...web!,
          onDown: { action: 'reset', idle: true },
          failback: { kind: 'drain', seconds: 60 },
        },
      ],
      hooks: [hook],
    };
    const told = lines(next).filter((line) => !line.includes('(IPv4)'));
    assert.deepEqual(told, [
      'change gateway fiber: resolvers none -> 192.0.2.53, 192.0.2.54',
      'change service web: idle connections none -> reset at once, lower tiers are left none -> after 60s',
      'add hook /bin/tell me at down, up: ',
    ]);
  });
});
