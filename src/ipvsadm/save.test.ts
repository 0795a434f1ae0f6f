// Saving and restoring any table, by properties.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { persistenceKeys } from '../model/persistence.ts';
import { schedulers } from '../model/scheduler.ts';
import {
  type Family,
  noCounters,
  type PersistenceKey,
  plainPolicy,
  type Service,
  type Table,
} from '../model/table.ts';
import { formatIpv4 } from './address.ts';
import { defaultContext, isEdit } from './command.ts';
import { editTable } from './edit.ts';
import { sortGateways, sortServices } from './find.ts';
import type { Forwarder } from './forwarder.ts';
import { parseRestore } from './restore.ts';
import { formatSave } from './save.ts';

const counters = { totals: noCounters(), rates: noCounters() };
const empty: Table = { services: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, size: 4096 };

function restore(text: string, context = { ...defaultContext, markMask: 0 }): Table {
  let table = empty;
  for (const result of parseRestore(text, context)) {
    assert.ok('command' in result && isEdit(result.command), JSON.stringify(result));
    table = editTable(table, result.command);
  }
  return table;
}

/** Without the orders of lists, which the sorted text does not keep: IPVS's limitation too. */
const sorted = (table: Table): Service[] =>
  sortServices(table.services).map((service) => ({
    ...service,
    gateways: sortGateways(service.gateways),
  }));

const count = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const addresses: Record<Family, fc.Arbitrary<string>> = {
  4: fc.integer({ min: 1, max: 0xdfffffff }).map(formatIpv4),
  6: fc.oneof(
    fc.integer({ min: 1, max: 0xffff }).map((word) => `2001:db8::${word.toString(16)}`),
    fc.constantFrom('fe80::1%eth1', 'fe80::1%eth1.5', 'fe80::1%br-lan', '::1'),
  ),
};
const netmasks: Record<Family, fc.Arbitrary<string>> = {
  4: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(formatIpv4),
  6: fc.integer({ min: 1, max: 128 }).map(String),
};

const gateway = (family: Family) =>
  fc
    .record({
      address: addresses[family],
      port: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65535 })),
      weight: count,
      upper: count,
      lower: count,
    })
    .map((one) => ({
      ...one,
      lower: Math.min(one.lower, one.upper),
      tier: 0,
      active: 0,
      inactive: 0,
      persistent: 0,
      ...counters,
    }));

const gateways = (family: Family) =>
  fc.uniqueArray(gateway(family), {
    maxLength: 5,
    selector: (one) => `${one.address} ${one.port}`,
  });

const scheduling = fc
  .constantFrom(...schedulers)
  .chain(([scheduler, flags]) =>
    fc.record({ scheduler: fc.constant(scheduler), schedulerFlags: fc.subarray([...flags]) }),
  );

const persistence = (family: Family) =>
  fc.oneof(
    fc.record({
      persistence: fc.constant(0),
      persistenceKey: fc.constant<PersistenceKey>('source'),
      netmask: fc.constant(family === 4 ? '255.255.255.255' : '128'),
    }),
    fc.record({
      persistence: fc.integer({ min: 1, max: 2678400 }),
      persistenceKey: fc.constantFrom(...persistenceKeys),
      netmask: netmasks[family],
    }),
  );

const service: fc.Arbitrary<Service> = fc.constantFrom<Family>(4, 6).chain((family) =>
  fc
    .record({
      fwmark: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
      scheduling,
      kept: persistence(family),
      onePacket: fc.boolean(),
      gateways: gateways(family),
    })
    .map(({ scheduling: how, kept, ...rest }) => ({
      family,
      ...plainPolicy,
      ...how,
      ...kept,
      ...rest,
      ...counters,
    })),
);

const table: fc.Arbitrary<Table> = fc
  .uniqueArray(service, { maxLength: 8, selector: (one) => `${one.fwmark} ${one.family}` })
  .map((services) => ({ ...empty, services }));

const forwarder = fc.constantFrom<Forwarder>('ReInj', 'Route');

describe('a saved table', () => {
  test('is restored with everything but the order of its lists', () => {
    fc.assert(
      fc.property(table, forwarder, (one, name) => {
        const context = { markMask: 0, forwarder: name };
        assert.deepEqual(sorted(restore(formatSave(one, name), context)), sorted(one));
      }),
    );
  });

  test('is saved as the same text once it was restored', () => {
    fc.assert(
      fc.property(table, (one) => {
        const text = formatSave(one, 'ReInj');
        assert.equal(formatSave(restore(text), 'ReInj'), text);
      }),
    );
  });

  test('holds thresholds and big marks, which ipvsadm loses', () => {
    const text =
      '-A -f 4294967295 -6 -s sh -p 60 -M 64 -o -b sh-fallback,sh-port\n' +
      '-a -f 4294967295 -6 -r [fe80::1%eth1]:0 -j -w 2 -x 9 -y 7\n';
    assert.equal(formatSave(restore(text), 'ReInj'), text);
  });

  test("is in IPVS's words where the forwarder has its name", () => {
    const text = '-A -f 1 -s wlc\n-a -f 1 -r 192.0.2.1:0 -j -w 1\n';
    assert.equal(formatSave(restore(text), 'Route'), text.replace('-j', '-g'));
  });
});
