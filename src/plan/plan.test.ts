// From a configuration and what there is to what shall be.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  after,
  config,
  emptyTable,
  environment,
  gateway,
  nothing,
  v4,
} from '../../test/planned.ts';
import type { Environment, LinkFacts } from '../model/environment.ts';
import type { Health } from '../model/health.ts';
import { type Plan, planConfig } from './plan.ts';

const weights = (plan: Plan): Record<string, number> =>
  Object.fromEntries(
    plan.table.services.flatMap(({ gateways }) => gateways.map((g) => [g.address, g.weight])),
  );

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

  test('leads questions to resolvers by their gateway, while that takes something new', () => {
    const [fiber, lte] = config.gateways;
    const resolvers = ['192.0.2.53', '2001:db8::53'];
    const asked = { ...config, gateways: [{ ...fiber!, resolvers }, lte!] };
    const of = (health: Health, admin = {}, changed = environment) => {
      const have = after(first, changed);
      const told = { health, reason: '', since: '', incident: '' };
      const applied = { ...have.applied!, health: { 'fiber/4': told } };
      return planConfig(asked, admin, { ...have, applied }).objects.resolvers;
    };
    const there = [{ family: 4, addresses: ['192.0.2.53'], id: 2 }];
    assert.deepEqual([of('up'), of('suspect')], [there, there]);
    assert.deepEqual([of('down'), of('recovering')], [[], []]);
    for (const admin of ['drained', 'disabled'] as const)
      assert.deepEqual(of('up', { fiber: admin }), []);
    assert.deepEqual(of('up', {}, changeLink('eth1', { carrier: false })), []);
  });
});
