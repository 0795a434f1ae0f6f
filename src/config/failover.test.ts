// What a file says of failures: monitors, what services do, hooks.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accepted, gateway, service } from '../../test/parsed.ts';
import { defaultMonitor } from '../model/monitor.ts';

const monitor = (words: string, via = 'auto') => gateway(`via: ${via}, monitor: ${words}`).monitor;

describe('a monitor', () => {
  test('asks the next hop, where there is one and nothing else is said', () => {
    assert.deepEqual(gateway('via: onlink').monitor, { ...defaultMonitor, probes: [] });
    assert.deepEqual(gateway('via: { ipv4: onlink, ipv6: auto }').monitor, defaultMonitor);
    assert.deepEqual(monitor('{ rise: 5 }'), { ...defaultMonitor, rise: 5 });
  });

  test('may ask nobody', () => {
    const nobody = { ...defaultMonitor, probes: [] };
    assert.deepEqual([monitor('none'), monitor('{ probes: [] }')], [nobody, nobody]);
  });

  test('asks in seven ways', () => {
    const { probes } =
      monitor(`{ probes: [{ ping: 2001:DB8::7 }, { tcp: "[2001:db8::7]:443" }, { dns: 192.0.2.7 },
      { dns: { server: 192.0.2.7, port: 5353, name: Lvsj.Example. } }, { http: "http://a.example/" },
      { http: { url: https://a.example/x, status: 204, body: right } }, { neighbour: true }, { bfd: true },
      { command: /usr/bin/true }, { command: [/opt/a b, 7, -x] }] }`);
    assert.deepEqual(probes, [
      { kind: 'ping', address: '2001:db8::7' },
      { kind: 'tcp', address: '2001:db8::7', port: 443 },
      { kind: 'dns', address: '192.0.2.7', port: 53, name: 'example.com' },
      { kind: 'dns', address: '192.0.2.7', port: 5353, name: 'lvsj.example' },
      { kind: 'http', url: 'http://a.example/', status: [200, 204], body: '' },
      { kind: 'http', url: 'https://a.example/x', status: [204], body: 'right' },
      { kind: 'neighbour' },
      { kind: 'bfd' },
      { kind: 'command', command: ['/usr/bin/true'] },
      { kind: 'command', command: ['/opt/a b', '7', '-x'] },
    ]);
  });

  test('waits for an answer and hurries no longer than its interval', () => {
    const { intervalMs, timeoutMs, burstMs } = monitor('{ interval: 50ms }');
    assert.deepEqual([intervalMs, timeoutMs, burstMs], [50, 50, 50]);
    assert.equal(monitor('{ interval: 10s }').timeoutMs, 500);
    assert.equal(monitor('{ interval: 50ms, timeout: 2s }').timeoutMs, 2000);
  });

  test('has thresholds with and without %', () => {
    const { loss, latency } = monitor(
      '{ loss: { down: 20%, up: 2.5 }, latency: { down: 0.3s, up: 150ms } }',
    );
    assert.deepEqual(
      [loss, latency],
      [
        { down: 20, up: 2.5 },
        { down: 300, up: 150 },
      ],
    );
  });

  test('holds a gateway back for one time, or for longer and longer', () => {
    const holds = ['5s', '0', '{ first: 2s }', '{ first: 2m }', '{ first: 2s, most: 3s }'].map(
      (words) => monitor(`{ hold: ${words} }`).hold,
    );
    assert.deepEqual(holds, [
      { first: 5000, most: 5000 },
      { first: 0, most: 0 },
      { first: 2000, most: 60_000 },
      { first: 120_000, most: 120_000 },
      { first: 2000, most: 3000 },
    ]);
  });
});

describe('a hook', () => {
  const hooks = (words: string) => accepted(`hooks: ${words}`).hooks;

  test('is told of everything for ten seconds, if nothing else is said', () => {
    assert.deepEqual(hooks('[{ command: /usr/local/bin/told }]'), [
      { on: [], command: ['/usr/local/bin/told'], timeoutMs: 10_000 },
    ]);
  });

  test('is told of some alone', () => {
    assert.deepEqual(
      hooks('[{ on: down, command: [/a, b], timeout: 1s }, { on: [up, down, up], command: /a }]'),
      [
        { on: ['down'], command: ['/a', 'b'], timeoutMs: 1000 },
        { on: ['up', 'down'], command: ['/a'], timeoutMs: 10_000 },
      ],
    );
  });
});

test('a service says what becomes of connections when gateways fail and come back', () => {
  const { onDown, failback, lastResort } = service(
    'on-down: { idle: true }, failback: { drain: 1m }, last-resort: unreachable',
  );
  assert.deepEqual(onDown, { action: 'reset', idle: true });
  assert.deepEqual(failback, { kind: 'drain', seconds: 60 });
  assert.equal(lastResort, 'unreachable');
  assert.deepEqual(service('on-down: keep').onDown, { action: 'keep', idle: false });
  assert.deepEqual(service('failback: new').failback, { kind: 'new' });
});
