// Which probes judge which family.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeConfig } from '../model/config.ts';
import { defaultMonitor } from '../model/monitor.ts';
import type { Family } from '../model/table.ts';
import { monitorOf, probeName } from './probe-kinds.ts';

const http = (url: string): ProbeConfig => ({ kind: 'http', url, status: [204], body: '' });

const probes: ProbeConfig[] = [
  { kind: 'ping', address: '198.51.100.10' },
  { kind: 'tcp', address: '2001:db8::1', port: 443 },
  http('http://example.com/'),
  http('http://198.51.100.1/'),
  http('http://[2001:db8::1]:8080/x'),
  { kind: 'neighbour' },
];

const judging = (family: Family): string[] =>
  monitorOf({ ...defaultMonitor, probes }, family).probes.map(probeName);

test('an address says the family, also in a URL; the rest judge both', () => {
  const both = ['http http://example.com/'];
  assert.deepEqual(judging(4), [
    'ping 198.51.100.10',
    ...both,
    'http http://198.51.100.1/',
    'neighbour',
  ]);
  assert.deepEqual(judging(6), [
    'tcp [2001:db8::1]:443',
    ...both,
    'http http://[2001:db8::1]:8080/x',
    'neighbour',
  ]);
});

test('a quorum is never more than there are probes of the family, and none counts twice', () => {
  const ping: ProbeConfig = { kind: 'ping', address: '198.51.100.10' };
  const config = { ...defaultMonitor, probes: [ping, { ...ping }], quorum: 2 };
  assert.equal(monitorOf(config, 4).quorum, 1);
  assert.equal(monitorOf(config, 6).quorum, 0);
});
