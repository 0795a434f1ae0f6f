// The order of listings.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noCounters, plainPolicy, type Service, type ServiceGateway } from '../model/table.ts';
import { sortGateways, sortServices } from './find.ts';

const gateway = (address: string, port = 0): ServiceGateway => ({
  address,
  port,
  weight: 1,
  upper: 0,
  lower: 0,
  tier: 0,
  active: 0,
  inactive: 0,
  persistent: 0,
  totals: noCounters(),
  rates: noCounters(),
});

const sorted = (...gateways: ServiceGateway[]): string[] =>
  sortGateways(gateways).map(({ address, port }) => (port ? `${address} ${port}` : address));

describe('gateways are listed', () => {
  test('by address as a number, then by port', () => {
    const wanted = ['9.9.9.9', '10.0.0.1', '10.0.0.9', '10.0.0.9 80', '10.0.0.10', '192.168.1.1'];
    const gateways = wanted.map((one) =>
      gateway(one.split(' ')[0] ?? '', Number(one.split(' ')[1] ?? 0)),
    );
    assert.deepEqual(sorted(...gateways), wanted);
    assert.deepEqual(sorted(...gateways.toReversed()), wanted);
  });

  test('by IPv6 address as a number, then by link', () => {
    const wanted = [
      '2001:db8::9',
      '2001:db8::10',
      '2001:db8:0:1::',
      'fd00::1',
      'fe80::1%eth1',
      'fe80::1%eth2',
    ];
    assert.deepEqual(sorted(...wanted.toReversed().map((address) => gateway(address))), wanted);
  });
});

test('services are listed by signed fwmark, IPv4 first', () => {
  const service = (fwmark: number, family: 4 | 6): Service => ({
    family,
    fwmark,
    scheduler: 'rr',
    schedulerFlags: [],
    persistence: 0,
    persistenceKey: 'source',
    netmask: '',
    onePacket: false,
    ...plainPolicy,
    gateways: [],
    totals: noCounters(),
    rates: noCounters(),
  });
  const services = [service(9, 4), service(1, 6), service(2 ** 32 - 1, 6), service(1, 4)];
  assert.deepEqual(
    sortServices(services).map(({ fwmark, family }) => [fwmark, family]),
    [
      [2 ** 32 - 1, 6],
      [1, 4],
      [1, 6],
      [9, 4],
    ],
  );
});
