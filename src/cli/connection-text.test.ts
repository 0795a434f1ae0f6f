// Connections as people see them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionState } from '../../test/states.ts';
import { formatConnections } from './connection-text.ts';

const web = connectionState();
const ping = connectionState({
  ...{ protocol: 58, family: 6, client: '2001:db8::11', clientPort: 7, server: '2001:db8:1::1' },
  ...{ serverPort: 0, state: 'ICMP', expires: 9, gatewayName: '192.0.2.1', serviceName: '' },
  reason: '',
});
const ofClients = connectionState({
  ...{ protocol: 0, client: '10.0.0.0', clientPort: 0, server: '0.0.0.1', serverPort: 0 },
  ...{ state: 'ASSURED', expires: 250, reason: '' },
});
const ofServers = connectionState({
  ...{ protocol: 0, family: 6, client: '::', clientPort: 0, server: '2001:db8:1::', serverPort: 0 },
  ...{ state: 'NONE', expires: 3725, reason: '' },
});

test('connections are listed with their ends, templates with what they are of', () => {
  assert.equal(
    [...formatConnections([web, ping, ofClients, ofServers])].join('\n'),
    `protocol  client            server             gateway    service   state        expires  chosen by
tcp       10.0.0.11:40312   198.51.100.10:443  fiber      web       ESTABLISHED    14:52  scheduler
icmpv6    [2001:db8::11]:7  2001:db8:1::1      192.0.2.1  fwmark 1  ICMP           00:09  -
template  10.0.0.0          any                fiber      web       ASSURED        04:10  -
template  any               2001:db8:1::       fiber      web       NONE           62:05  -`,
  );
});

test('a template of IPv6 clients holds its fwmark at the other end of the address', () => {
  const [, line] = formatConnections([{ ...ofServers, client: '2001:db8::', server: '0:1::' }]);
  assert.match(line as string, /^template {2}2001:db8:: {2}any /);
});

test('beyond the limit they are only counted, and what is shown does not wait for that', () => {
  let read = 0;
  function* many() {
    for (; read < 5000; read++) yield web;
  }
  const lines = formatConnections(many(), 2);
  for (let i = 0; i < 3; i++) lines.next();
  assert.ok(read <= 2, `${read} were read`);
  assert.deepEqual([...lines], ['', '… and 4998 more; --limit says how many are shown, 0 all']);
});

test('exactly as many as the limit leave none', () => {
  assert.equal([...formatConnections([web, web], 2)].length, 3);
  assert.equal([...formatConnections([], 2)].length, 1);
});
