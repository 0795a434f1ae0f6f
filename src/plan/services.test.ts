// The services of a configuration in the table: tiers, what they do at failures, and how a plan tells of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applied, config } from '../../test/bpf/configured.ts';
import type { Config, ServiceConfig } from '../model/config.ts';
import { noConfigObjects } from '../model/objects.ts';
import type { AdminState } from '../model/state.ts';
import type { Service, Table } from '../model/table.ts';
import { describePlan } from './describe.ts';
import type { ResolvedGateway } from './gateways.ts';
import { planTable } from './services.ts';

/** All that the service has: there, and each next hop is known. */
const gateways = ['fiber', 'dsl', 'lte'].map((name, i): ResolvedGateway => {
  const address = `192.0.2.${i + 1}`;
  return {
    ...{ key: `${name}/4`, name, family: 4, link: name, address, unavailable: '', id: i + 1 },
    ...{ snat: { kind: 'masquerade' }, onlink: false },
  };
});

const nothing: Table = { services: [], timeouts: config.timeouts, size: 1024 };
const everybody = { fiber: 'disabled', dsl: 'disabled', lte: 'disabled' } as const;

function withService(given: Partial<ServiceConfig>, tiers: Record<string, number> = {}): Config {
  const [web] = config.services as [ServiceConfig];
  const shares = web.gateways.map((each) => ({ ...each, tier: tiers[each.gateway] ?? 1 }));
  return { ...config, services: [{ ...web, gateways: shares, ...given }] };
}

const plan = (of: Config, admin: Record<string, AdminState> = {}, have = nothing): Table =>
  planTable(of, { gateways, admin, have, before: [1] });

const tiersOf = ([service]: readonly Service[]): string[] =>
  service?.gateways.map(({ address, tier }) => `${address.at(-1)} in ${tier}`) ?? [];

describe('the tiers of a service', () => {
  const tiered = withService({}, { fiber: 5, dsl: 2, lte: 5 });

  test('are numbered without gaps, each the newest first', () =>
    assert.deepEqual(tiersOf(plan(tiered).services), ['2 in 0', '3 in 1', '1 in 1']));

  test('are numbered by all that the file has, also those that are away', () =>
    assert.deepEqual(tiersOf(plan(tiered, { dsl: 'disabled' }).services), ['3 in 1', '1 in 1']));

  test('keep the places of their gateways', () => {
    const turned = { ...tiered.services[0]!, gateways: tiered.services[0]!.gateways.toReversed() };
    const have = plan(tiered);
    const again = plan({ ...tiered, services: [turned] }, {}, have);
    assert.deepEqual(tiersOf(again.services), tiersOf(have.services));
  });

  test('take another one’s gateways in at their heads', () => {
    const next = withService({}, { fiber: 1, dsl: 1, lte: 2 });
    const moved = plan(next, {}, plan(tiered));
    assert.deepEqual(tiersOf(moved.services), ['1 in 0', '2 in 0', '3 in 1']);
  });
});

describe('a service none of whose gateways is there', () => {
  const families = (lastResort: ServiceConfig['lastResort']) =>
    plan(withService({ lastResort }), everybody).services.map(({ family }) => family);

  test('is none, if its connections go on by the main table', () =>
    assert.deepEqual(families('main'), []));
  for (const lastResort of ['drop', 'unreachable'] as const)
    test(`holds for its last resort (${lastResort}), in the family of its gateways`, () =>
      assert.deepEqual(families(lastResort), [4]));
});

test('what a plan changes of tiers and policies is told in the words of the file', () => {
  const next = withService(
    {
      onDown: { action: 'keep', idle: false },
      ...{ failback: { kind: 'new' }, lastResort: 'drop' },
    },
    { fiber: 7 },
  );
  const have = plan(config);
  const table = plan(next, {}, have);
  const { changes, connections } = describePlan({
    ...{ config: next, applied: applied({}), have, repairs: [] },
    plan: { gateways, moves: [], have, table, objects: noConfigObjects, gatewayIds: {} },
  });
  const told = changes.filter(({ what }) => what.includes('(IPv4)'));
  assert.deepEqual(
    told.map(({ verb, what, detail }) => `${verb} ${what}: ${detail}`),
    [
      'change service web (IPv4): on-down reset -> keep',
      'change service web (IPv4): failback stay -> new',
      'change service web (IPv4): last-resort main -> drop',
      'change service web (IPv4): gateway fiber: tier 1 -> 2',
    ],
  );
  assert.equal(connections.cut, 0);
});
