// Services as people see them, and the words that name one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noTotals, serviceGatewayState, serviceState } from '../../test/states.ts';
import { findServices, formatServices } from './service.ts';

const busy = serviceGatewayState({
  ...{ weight: 3, effectiveWeight: 3, upper: 1000, lower: 750, active: 412, inactive: 131 },
  persistent: 12,
  rates: { ...noTotals, connections: 3, inBytes: 242_500, outBytes: 10_900_000 },
  totals: { ...noTotals, connections: 81_234, inBytes: 3e8, outBytes: 1.2e9 },
});
const drained = serviceGatewayState({ gateway: 'lte', address: '203.0.113.1', effectiveWeight: 0 });
const waiting = serviceGatewayState({ gateway: 'dsl', address: '', effectiveWeight: 0 });

describe('services', () => {
  test('are listed with their gateways', () => {
    const web = serviceState({ persistence: 300, gateways: [busy, drained, waiting] });
    assert.equal(
      formatServices([web]).join('\n'),
      `web: fwmark 1, IPv4, wlc, persistent 300 s by source
  gateway  address      weight  upper  lower  active  inactive  persistent  now conn/s   down     up  so far conns  down    up
  fiber    192.0.2.1         3   1000    750     412       131          12           3  87.2M  1.94M         81.2k  1.2G  300M
  lte      203.0.113.1  0 of 1                     0         0                       0      0      0             0     0     0
  dsl      -            0 of 1                     0         0                       0      0      0             0     0     0

now: bits a second; so far: bytes`,
    );
  });

  test('that only lvsj ipvsadm knows go by their fwmark, their gateways by their address', () => {
    const service = serviceState({
      ...{ name: '', fwmark: 7, family: 6, scheduler: 'sh', schedulerFlags: ['sh-port'] },
      ...{ persistence: 60, persistenceKey: 'destination', netmask: '64', onePacket: true },
      gateways: [serviceGatewayState({ gateway: '2001:db8::1', address: '2001:db8::1' })],
    });
    const [head, , row] = formatServices([service]);
    assert.equal(
      head,
      'fwmark 7: IPv6, sh sh-port, persistent 60 s by destination, mask 64, one packet',
    );
    assert.match(row as string, /^ {2}- +2001:db8::1 +1 +0 +0 /);
  });

  test('of several tiers show them, and what they do at failures', () => {
    const service = serviceState({
      ...{ onDown: 'reset', failback: 'drain 60s', lastResort: 'unreachable' },
      gateways: [busy, serviceGatewayState({ gateway: 'lte', tier: 3 })],
    });
    const [head, title, , row] = formatServices([service]);
    assert.equal(
      head,
      'web: fwmark 1, IPv4, wlc, on-down reset, failback drain 60s, last-resort unreachable',
    );
    assert.match(title as string, /address +tier +weight/);
    assert.match(row as string, /^ {2}lte +192\.0\.2\.1 +3 +1 /);
  });

  test('without gateways, and none at all, say so', () => {
    assert.deepEqual(formatServices([serviceState({ gateways: [] })]), [
      'web: fwmark 1, IPv4, wlc',
      '  no gateways',
      '',
      'now: bits a second; so far: bytes',
    ]);
    assert.deepEqual(formatServices([]), ['no services']);
  });
});

describe('a service is named', () => {
  const web4 = serviceState();
  const web6 = serviceState({ family: 6 });
  const other = serviceState({ name: '', fwmark: 0x10 });
  const all = [web4, web6, other];

  for (const [word, found] of [
    ['web', [web4, web6]],
    ['1', [web4, web6]],
    ['16', [other]],
    ['0x10', [other]],
  ] as const)
    test(word, () => assert.deepEqual(findServices(all, word), found));

  for (const word of ['mail', '2', ''])
    test(`otherwise than "${word}"`, () => {
      assert.throws(() => findServices(all, word), {
        message: `service ${word}: the director has no such service (name it by its name or fwmark); lvsj service lists them`,
        status: 1,
      });
    });
});
