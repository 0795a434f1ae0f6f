// Who leaves the lower tiers, and when.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gatewayKey, type Leave } from '../model/applied.ts';
import type { Config, Failback, GatewayConfig, ServiceConfig } from '../model/config.ts';
import type { Health } from '../model/health.ts';
import { defaultMonitor, defaultPolicy } from '../model/monitor.ts';
import { type GatewayFacts, leaveOf, planLeaves } from './failback.ts';

const gateway = (name: string, families: (4 | 6)[]): GatewayConfig => ({
  ...{ name, link: name, mtu: 0, capacity: { down: 0, up: 0 }, resolvers: [] },
  via: Object.fromEntries(families.map((family) => [family, { kind: 'auto' }])),
  snat: { 4: { kind: 'masquerade' }, 6: { kind: 'masquerade' } },
  monitor: defaultMonitor,
});

const share = (name: string, tier: number, weight = 1) => ({
  ...{ gateway: name, weight, tier, upper: 0, lower: 0 },
});

const gateways = [gateway('fiber', [4, 6]), gateway('cable', [4]), gateway('lte', [4, 6])];

function configOf(failback: Failback, shares = [share('fiber', 1), share('lte', 3)]): Config {
  const web: ServiceConfig = {
    ...{ name: 'web', fwmark: 1, scheduler: 'wlc', schedulerFlags: [], persistence: 0 },
    ...{ persistenceKey: 'source', netmask: { 4: 32, 6: 128 }, onePacket: false },
    ...defaultPolicy,
    failback,
    gateways: shares,
  };
  return {
    ...{ lan: [], router: '', connections: 1024, markMask: 0xff000000, settings: {} },
    ...{ timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, sets: [], rules: [], hooks: [] },
    api: { group: '', metricsListen: '', metricsTokenFile: '' },
    gateways,
    services: [web],
  };
}

const now: Failback = { kind: 'now' };
const drain: Failback = { kind: 'drain', seconds: 60 };
const keys = gateways.flatMap(({ name, via }) =>
  Object.keys(via).map((family) => gatewayKey(name, Number(family) as 4 | 6)),
);
const gatewayIds = Object.fromEntries(keys.map((key, i) => [key, i + 1]));

type State = GatewayFacts & { leaves: Leave[] };

/** down: gateways' keys, and what of health they have. */
function state(config: Config, down: Record<string, Health> = {}, leaves: Leave[] = []): State {
  const health = Object.fromEntries(
    Object.entries(down).map(([key, health]) => [
      key,
      { health, reason: 'x', since: '', incident: '1' },
    ]),
  );
  return { config, admin: {}, gatewayIds, unavailable: {}, health, leaves };
}

const short = ({ family, tier, beganS, dueS }: Leave): string =>
  `${family}: below ${tier}, until ${beganS}, at ${dueS}`;
const plan = (before: State | undefined, after: State): string[] =>
  planLeaves(before, after, 100).map(short);

describe('a gateway that takes connections again has lower tiers left', () => {
  for (const [what, failback, want] of [
    ['at once', now, ['4: below 1, until 100, at 100']],
    ['after a while', drain, ['4: below 1, until 100, at 160']],
    ['never, with stay', { kind: 'stay' }, []],
    ['never, with new', { kind: 'new' }, []],
  ] as [string, Failback, string[]][])
    test(what, () => {
      const config = configOf(failback);
      assert.deepEqual(plan(state(config, { 'fiber/4': 'down' }), state(config)), want);
    });

  for (const [what, away] of [
    ['was recovering', { health: state(configOf(now), { 'fiber/4': 'recovering' }).health }],
    ['was drained', { admin: { fiber: 'drained' } }],
    ['was disabled', { admin: { fiber: 'disabled' } }],
    ['had no carrier', { unavailable: { 'fiber/4': 'link fiber has no carrier' } }],
    ['had no next hop yet', { gatewayIds: { 'lte/4': 5 } }],
  ] as [string, Partial<State>][])
    test(`whether it ${what}`, () => {
      const before = { ...state(configOf(now)), ...away };
      assert.ok(plan(before, state(configOf(now))).includes('4: below 1, until 100, at 100'));
    });

  test('of its family alone', () => {
    const config = configOf(now);
    const before = state(config, { 'fiber/6': 'down', 'fiber/4': 'suspect' });
    assert.deepEqual(plan(before, state(config)), ['6: below 1, until 100, at 100']);
  });

  test('though others of its tier were there: what was too much for them is below', () => {
    const config = configOf(now, [share('fiber', 2), share('cable', 2), share('lte', 3)]);
    assert.deepEqual(plan(state(config, { 'cable/4': 'down' }), state(config)), [
      '4: below 2, until 100, at 100',
    ]);
  });

  test('once, by the first tier of those that return', () => {
    const config = configOf(now, [share('fiber', 1), share('cable', 2), share('lte', 3)]);
    const before = state(config, { 'fiber/4': 'down', 'cable/4': 'down' });
    assert.deepEqual(plan(before, state(config)), ['4: below 1, until 100, at 100']);
  });
});

describe('nothing leaves', () => {
  const config = configOf(now);
  const nothing = (before: State | undefined, after: State) =>
    assert.deepEqual(plan(before, after), []);

  test('while nothing changes', () => nothing(state(config), state(config)));
  test('with the first configuration', () => nothing(undefined, state(config)));
  test('while a gateway goes from down to recovering', () =>
    nothing(state(config, { 'fiber/4': 'down' }), state(config, { 'fiber/4': 'recovering' })));
  test('for a gateway that goes', () =>
    nothing(state(config), state(config, { 'fiber/4': 'down' })));
  test('for one of the lowest tier', () =>
    nothing(state(config, { 'lte/4': 'down' }), state(config)));
  test('for one that is new in the file', () =>
    nothing(state({ ...config, gateways: gateways.slice(1) }), state(config)));
  test('for one that gets its first weight', () =>
    nothing(state(configOf(now, [share('fiber', 1, 0), share('lte', 3)])), state(config)));
  test('for one without weight', () => {
    const idle = configOf(now, [share('fiber', 1, 0), share('lte', 3)]);
    nothing(state(idle, { 'fiber/4': 'down' }), state(idle));
  });
});

describe('what waits', () => {
  const waiting: Leave = { fwmark: 1, family: 4, tier: 1, beganS: 50, dueS: 110 };
  const left = (after: State): string[] =>
    plan({ ...state(configOf(drain)), leaves: [waiting] }, after);

  test('stays, as it is', () => {
    const after = state(configOf(drain));
    assert.deepEqual(planLeaves({ ...after, leaves: [waiting] }, after, 100), [waiting]);
  });
  test('is called off if the gateway fails again', () =>
    assert.deepEqual(left(state(configOf(drain), { 'fiber/4': 'down' })), []));
  test('is called off if the service goes', () =>
    assert.deepEqual(left(state({ ...configOf(drain), services: [] })), []));
  test('is called off if the service is to leave connections alone', () =>
    assert.deepEqual(left(state(configOf({ kind: 'stay' }))), []));
  test('stays if another of its tier can stand in', () => {
    const config = configOf(drain, [share('fiber', 1), share('cable', 1), share('lte', 3)]);
    assert.equal(left(state(config, { 'fiber/4': 'down' })).length, 1);
  });
});

describe('a gateway is told', () => {
  const due: Leave[] = [{ fwmark: 1, family: 4, tier: 1, beganS: 50, dueS: 110 }];
  const told = (gateway: string, leaveS: number, facts = state(configOf(now)), given = {}) =>
    leaveOf({ ...{ fwmark: 1, family: 4, gateway, leaveS }, ...given }, due, facts);

  test('that those that began until the recovery leave', () => assert.equal(told('lte', 0), 50));
  test('nothing older than it knows', () => assert.equal(told('lte', 70), 70));
  test('nothing in the tier that took them back', () => assert.equal(told('fiber', 0), 0));
  test('nothing in the other family', () =>
    assert.equal(told('lte', 0, state(configOf(now)), { family: 6 }), 0));
  test('nothing any more once it is the best that there is', () =>
    assert.equal(told('lte', 70, state(configOf(now), { 'fiber/4': 'down' })), 0));
  test('nothing any more once its service leaves connections alone', () =>
    assert.equal(told('lte', 70, state(configOf({ kind: 'new' }))), 0));
  test("what it was, if it is not the configuration's", () => {
    assert.equal(told('', 70), 70);
    assert.equal(told('lte', 70, state(configOf(now)), { fwmark: 2 }), 70);
  });
});
