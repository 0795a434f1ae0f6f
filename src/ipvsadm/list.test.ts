// Forms that the recordings (test/golden.test.ts) don't show.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Connection,
  noCounters,
  plainPolicy,
  type Service,
  type Table,
} from '../model/table.ts';
import { defaultContext, type ListCommand } from './command.ts';
import type { Forwarder } from './forwarder.ts';
import { formatConnections, formatList } from './list.ts';
import { parseCommand } from './parse.ts';

function list(line: string, forwarder?: Forwarder): ListCommand {
  const command = parseCommand(line.split(' '), {
    ...defaultContext,
    ...(forwarder && { forwarder }),
  });
  assert.ok(command.kind === 'list');
  return command;
}

function tableOf(family: 4 | 6, ...addresses: string[]): Table {
  const counters = { totals: noCounters(), rates: noCounters() };
  const gateways = addresses.map((address) => ({
    address,
    port: 0,
    weight: 1,
    upper: 0,
    lower: 0,
    tier: 0,
    active: 0,
    inactive: 0,
    persistent: 0,
    ...counters,
  }));
  const service = { family, fwmark: 1, scheduler: 'rr', schedulerFlags: [], persistence: 0 };
  const services = [
    {
      ...service,
      persistenceKey: 'source' as const,
      netmask: '',
      onePacket: false,
      ...plainPolicy,
      gateways,
      ...counters,
    },
  ];
  return { services, timeouts: { tcp: 1, tcpFin: 2, udp: 3 }, size: 1_000_000 };
}

const gatewayLines = (text: string): string[] => text.split('\n').slice(4, -1);

describe('a listing', () => {
  test('begins with the size of the connection table', () => {
    const text = formatList(tableOf(4), list('-L'));
    assert.equal(text.split('\n')[0], 'IP Virtual Server version 1.2.1 (size=1000000)');
  });

  test('cuts the names of IPv4 gateways and lets IPv6 push the columns', () => {
    const names = () => 'gateway.of.a.very.long.name.example';
    assert.deepEqual(gatewayLines(formatList(tableOf(4, '192.0.2.1'), list('-L'), names)), [
      '  -> gateway.of.a.very.long.name. ReInj   1      0          0         ',
    ]);
    assert.deepEqual(gatewayLines(formatList(tableOf(6, '2001:db8::1'), list('-L'), names)), [
      '  -> [gateway.of.a.very.long.name.example]:0 ReInj   1      0          0         ',
    ]);
  });

  test("calls the forwarder by IPVS's word if asked, and by no other", () => {
    const table = tableOf(4, '192.0.2.1');
    for (const line of ['-Ln', '-Ln --tun-info', '-Ln --stats', '-Ln --thresholds'])
      assert.equal(
        formatList(table, list(line, 'Route')),
        formatList(table, list(line)).replace('ReInj', 'Route'),
      );
    assert.match(formatList(table, list('-Ln', 'Route')), / Route {3}1 {6}0 /);
  });

  test('with -n looks no name up', () => {
    const text = formatList(tableOf(4, '192.0.2.1'), list('-Ln'), assert.fail);
    assert.match(text, /-> 192\.0\.2\.1:0 /);
  });

  test('of several forms is the first of totals, rates, thresholds, templates', () => {
    const table = tableOf(4, '192.0.2.1');
    const all = '-L --tun-info --persistent-conn --thresholds --rate --stats'.split(' ');
    for (const length of [6, 5, 4, 3]) {
      const several = all.slice(0, length).join(' ');
      const one = `-L ${all[length - 1]}`;
      assert.equal(formatList(table, list(several)), formatList(table, list(one)));
    }
  });

  test('shows what persistence keeps together, where it is not the client', () => {
    const [service] = tableOf(4).services;
    assert.ok(service);
    const persistent = { ...service, persistence: 60, netmask: '255.255.255.0', onePacket: true };
    const lineOf = (persistenceKey: Service['persistenceKey']) => {
      const services = [{ ...persistent, persistenceKey }];
      return formatList({ ...tableOf(4), services }, list('-Ln')).split('\n')[3];
    };
    const line = 'FWM  1 rr persistent 60 mask 255.255.255.0';
    assert.equal(lineOf('source'), `${line} ops`);
    assert.equal(lineOf('destination'), `${line} pe destination ops`);
    assert.equal(lineOf('source-destination'), `${line} pe source-destination ops`);
  });

  test("shortens a gateway's bytes per second, but not its packets", () => {
    const table = tableOf(4, '192.0.2.1');
    const rates = { ...noCounters(), inPackets: 123_456_789n, inBytes: 123_456_789n };
    const [service] = table.services;
    assert.ok(service?.gateways[0]);
    const busy = { ...service, rates, gateways: [{ ...service.gateways[0], rates }] };
    const lines = formatList({ ...table, services: [busy] }, list('-Ln --rate')).split('\n');
    assert.deepEqual(lines.slice(3, 5), [
      'FWM  1                                   0  123456K        0  123456K        0',
      '  -> 192.0.2.1:0                         0 123456789        0  123456K        0',
    ]);
  });

  test('of a service that is not there is refused with status 1', () => {
    assert.throws(() => formatList(tableOf(4), list('-L -f 1 -6')), {
      message: 'No such service',
      status: 1,
    });
  });
});

test("connections show every protocol by IPVS's name for it", () => {
  const connection: Connection = {
    protocol: 0,
    family: 6,
    client: 'fd00::',
    clientPort: 0,
    server: '0:1::',
    serverPort: 0,
    gateway: 'fe80::1%eth1',
    gatewayPort: 0,
    state: 'ASSURED',
    expires: 59,
    fwmark: 1,
    age: 0,
    reason: '',
    generation: 0,
  };
  const rows = [0, 1, 58, 132, 47].map((protocol) => ({ ...connection, protocol }));
  const lines = formatConnections(rows, list('-Lnc')).trimEnd().split('\n').slice(2);
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['IP', 'ICMP', 'ICMPv6', 'SCTP', 'IP_47'],
  );
  assert.equal(
    lines[0],
    'IP  00:59  ASSURED     [fd00::]:0         [0:1::]:0          [fe80::1%eth1]:0',
  );
});
