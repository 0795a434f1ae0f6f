// Which id each gateway gets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noCounters, plainPolicy, type Service } from '../model/table.ts';
import { addressesOf, hopKey, type KnownGateway, type KnownGateways, planHops } from './hops.ts';

const service = (addresses: string[]): Service => ({
  family: addresses[0]?.includes(':') ? 6 : 4,
  fwmark: 1,
  scheduler: 'wlc',
  schedulerFlags: [],
  persistence: 0,
  persistenceKey: 'source' as const,
  netmask: '255.255.255.255',
  onePacket: false,
  ...plainPolicy,
  totals: noCounters(),
  rates: noCounters(),
  gateways: addresses.map((address) => ({
    address,
    port: 0,
    weight: 1,
    upper: 0,
    lower: 0,
    tier: 0,
    active: 0,
    inactive: 0,
    persistent: 0,
    totals: noCounters(),
    rates: noCounters(),
  })),
});

const entry = (address: string, present: boolean): KnownGateway => ({
  address,
  link: 'eth1',
  present,
});

const idsOf = (services: Service[], gateways: KnownGateways): Record<string, number> =>
  Object.fromEntries(
    [...planHops(addressesOf(services), gateways, () => 'eth9')].map(([key, { id }]) => [key, id]),
  );

describe('the ids of gateways', () => {
  test('stay with the gateways that are there', () => {
    const gateways = new Map([[7, entry('192.0.2.1', true)]]);
    assert.deepEqual(idsOf([service(['192.0.2.1', '192.0.2.2'])], gateways), {
      '4 192.0.2.1': 7,
      '4 192.0.2.2': 1,
    });
  });

  test('return to a gateway that comes back', () => {
    const gateways = new Map([
      [1, entry('192.0.2.1', false)],
      [2, entry('192.0.2.2', false)],
    ]);
    assert.deepEqual(idsOf([service(['192.0.2.2'])], gateways), { '4 192.0.2.2': 2 });
  });

  test('are not taken from a gateway that is gone while others are free', () => {
    const gateways = new Map([[1, entry('192.0.2.1', false)]]);
    assert.deepEqual(idsOf([service(['192.0.2.9'])], gateways), { '4 192.0.2.9': 2 });
  });

  test('are taken from one that is gone when none is free', () => {
    const all = Array.from({ length: 253 }, (_, i) => i + 1);
    const gateways = new Map(all.map((id) => [id, entry(`10.0.0.${id}`, id !== 100)]));
    assert.deepEqual(idsOf([service(['192.0.2.9'])], gateways), { '4 192.0.2.9': 100 });
  });

  test('run out with the 254th gateway', () => {
    const all = Array.from({ length: 253 }, (_, i) => i + 1);
    const gateways = new Map(all.map((id) => [id, entry(`10.0.0.${id}`, true)]));
    assert.throws(() => idsOf([service(['192.0.2.9'])], gateways), /no gateway id is free/);
  });

  test('are one for a gateway that two services share', () => {
    const hops = planHops(
      addressesOf([service(['192.0.2.1']), service(['192.0.2.1'])]),
      new Map(),
      () => 'eth9',
    );
    assert.equal(hops.size, 1);
    assert.equal(hops.get(hopKey(4, '192.0.2.1'))?.link, 'eth9');
  });
});
