// The rules of the table: what is allowed, what is refused, and with which sentence.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../model/bounds.ts';
import type { Service, ServiceGateway, Table } from '../model/table.ts';
import { defaultContext, isEdit } from './command.ts';
import { editTable } from './edit.ts';
import { parseCommand } from './parse.ts';

const empty: Table = { services: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, size: 4096 };

/** The table after these commands. */
function edit(table: Table, ...lines: string[]): Table {
  return lines.reduce((before, line) => {
    const command = parseCommand(line.split(' '), { ...defaultContext, markMask: 0 });
    assert.ok(isEdit(command), line);
    return editTable(before, command);
  }, table);
}

const refuses = (table: Table, line: string, message: string | RegExp) =>
  assert.throws(() => edit(table, line), { message, status: 255 });

const table = edit(
  empty,
  '-A -f 1 -s wrr -p 60',
  '-a -f 1 -r 192.0.2.1 -w 3 -x 9',
  '-a -f 1 -r 192.0.2.2',
);

const service = (of: Table): Service => of.services[0] ?? assert.fail('no service');
const gateway = (of: Table): ServiceGateway => service(of).gateways[0] ?? assert.fail('no gateway');

describe('a service', () => {
  test('is kept apart by family', () => {
    const both = edit(table, '-A -f 1 -6');
    assert.deepEqual(
      both.services.map(({ family }) => family),
      [4, 6],
    );
    assert.deepEqual(
      edit(both, '-D -f 1').services.map(({ family }) => family),
      [6],
    );
  });

  test('is edited whole, and keeps its gateways and counters', () => {
    const totals = { ...service(table).totals, connections: 7n };
    const counted = { ...table, services: [{ ...service(table), totals }] };
    const edited = service(edit(counted, '-E -f 1'));
    assert.equal(edited.scheduler, 'wlc');
    assert.equal(edited.persistence, 0);
    assert.equal(edited.gateways, service(table).gateways);
    assert.equal(edited.totals, totals);
  });

  test('that exists, or does not, is refused before its scheduler is looked at', () => {
    refuses(table, '-A -f 1 -s nosuch', 'Service already exists');
    refuses(table, '-E -f 9 -s nosuch', 'No such service');
    refuses(table, '-D -f 9', 'No such service');
    refuses(table, '-E -f 1 -s nosuch', 'Scheduler or persistence engine not found');
    refuses(table, '-A -f 2 -s constructor', 'Scheduler or persistence engine not found');
  });

  test('keeps together what --pe says, if it is persistent', () => {
    const keyOf = (line: string) => service(edit(empty, line)).persistenceKey;
    assert.equal(keyOf('-A -f 1 -p'), 'source');
    assert.equal(keyOf('-A -f 1 -p --pe destination'), 'destination');
    assert.equal(keyOf('-A -f 1 -p --pe source-destination'), 'source-destination');
    assert.equal(keyOf('-A -f 1 --pe destination'), 'source');
    refuses(empty, '-A -f 1 -p --pe sip', 'Scheduler or persistence engine not found');
  });

  test('is refused once a director is full', () => {
    const one = service(edit(empty, '-A -f 1'));
    const services = Array.from({ length: limits.services }, (_, index) => ({
      ...one,
      fwmark: index + 1,
    }));
    refuses({ ...empty, services }, '-A -f 5000', 'Too many services: a director holds 4096');
  });
});

describe('a gateway', () => {
  test('goes to the head of the list, and stays in its place when it is edited', () => {
    const addresses = (of: Table) => service(of).gateways.map(({ address }) => address);
    assert.deepEqual(addresses(table), ['192.0.2.2', '192.0.2.1']);
    assert.deepEqual(addresses(edit(table, '-e -f 1 -r 192.0.2.1 -w 9')), [
      '192.0.2.2',
      '192.0.2.1',
    ]);
    const again = edit(table, '-d -f 1 -r 192.0.2.1', '-a -f 1 -r 192.0.2.1');
    assert.deepEqual(addresses(again), ['192.0.2.1', '192.0.2.2']);
  });

  test('is edited whole, and keeps its counters', () => {
    const busy = { ...gateway(table), active: 3, weight: 5, upper: 9 };
    const before = { ...table, services: [{ ...service(table), gateways: [busy] }] };
    const edited = gateway(edit(before, '-e -f 1 -r 192.0.2.2'));
    assert.deepEqual(edited, { ...busy, weight: 1, upper: 0 });
  });

  test('is refused in the order in which IPVS checks', () => {
    refuses(table, '-a -f 9 -r 224.0.0.1 -y 2', 'Service not defined');
    refuses(table, '-a -f 1 -r 192.0.2.1 -x 1 -y 2', 'Numerical result out of range');
    refuses(table, '-a -f 1 -r 192.0.2.1', 'Destination already exists');
    refuses(table, '-e -f 1 -r 192.0.2.9 -y 2', 'Numerical result out of range');
    refuses(table, '-e -f 1 -r 192.0.2.9', 'No such destination');
    refuses(table, '-d -f 1 -r 192.0.2.1:80', 'No such destination');
    refuses(table, '-d -f 9 -r 192.0.2.1', 'Service not defined');
  });

  test('has a unicast address', () => {
    const both = edit(table, '-A -f 1 -6');
    for (const address of ['0.0.0.0', '224.0.0.1', '239.1.1.1', '255.255.255.255'])
      refuses(both, `-a -f 1 -r ${address}`, /^Invalid operation\. {2}Possibly wrong/);
    for (const address of ['::', 'ff02::1', '::ffff:192.0.2.1'])
      refuses(both, `-a -f 1 -6 -r ${address}`, /^Invalid operation\. {2}Possibly wrong/);
    edit(both, '-a -f 1 -r 240.0.0.1', '-a -f 1 -6 -r fe80::1%eth1', '-a -f 1 -6 -r ::1');
  });

  test('is refused once its service is full', () => {
    const lines = Array.from(
      { length: limits.gatewaysOfService },
      (_, i) => `-a -f 2 -r 10.0.0.${i + 1}`,
    );
    const full = edit(empty, '-A -f 2', ...lines);
    refuses(full, '-a -f 2 -r 10.0.1.1', 'Too many gateways: a service holds 64');
  });

  test('is refused if it were the 255th next hop, but a known one may serve again', () => {
    const services = [3, 4, 5, 6, 7].map((mark) => `-A -f ${mark}`);
    const lines = Array.from(
      { length: limits.nextHops },
      (_, i) => `-a -f ${3 + Math.floor(i / 60)} -r 10.0.${Math.floor(i / 60)}.${1 + (i % 60)}`,
    );
    const full = edit(empty, ...services, ...lines);
    refuses(
      full,
      '-a -f 7 -r 10.9.9.9',
      'Too many gateways: a director knows 253 different next hops',
    );
    edit(full, '-a -f 7 -r 10.0.0.1', '-d -f 3 -r 10.0.0.2', '-a -f 7 -r 10.0.0.9:80');
  });
});

describe('the table', () => {
  test('keeps its timeouts when it is flushed', () => {
    const cleared = edit(table, '--set 1 2 3', '-C');
    assert.deepEqual(cleared, { ...empty, timeouts: { tcp: 1, tcpFin: 2, udp: 3 } });
  });

  test('keeps a timeout that is set to 0', () => {
    assert.deepEqual(edit(table, '--set 0 7 0').timeouts, { tcp: 900, tcpFin: 7, udp: 300 });
  });

  test('is never changed in place', () => {
    const before = structuredClone(table);
    edit(
      table,
      '-e -f 1 -r 192.0.2.1',
      '-d -f 1 -r 192.0.2.1',
      '-E -f 1',
      '-D -f 1',
      '-C',
      '--set 1 1 1',
    );
    assert.deepEqual(table, before);
  });
});
