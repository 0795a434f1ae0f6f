// Which probes judge which family of a gateway.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayConfig, ProbeConfig } from './config.ts';
import { defaultMonitor, familyOfProbe, probesOf } from './monitor.ts';

const http = (url: string): ProbeConfig => ({ kind: 'http', url, status: [200], body: '' });
const ping4: ProbeConfig = { kind: 'ping', address: '192.0.2.7' };
const ping6: ProbeConfig = { kind: 'ping', address: '2001:db8::7' };
const byName = http('http://a.example:8080/192.0.2.7');
const probes: ProbeConfig[] = [ping4, ping6, byName, { kind: 'neighbour' }, { kind: 'bfd' }];
const monitor = { ...defaultMonitor, probes };

const kinds = (via: GatewayConfig['via'], family: 4 | 6): string[] =>
  probesOf({ via, monitor }, family).map(({ kind }) => kind);

test('a probe whose target is an address judges the family of that', () => {
  assert.deepEqual([ping4, ping6].map(familyOfProbe), [4, 6]);
  const urls = ['http://192.0.2.7/', 'https://192.0.2.7:8443/a', 'http://[2001:db8::7]:80/'];
  assert.deepEqual(
    urls.map((url) => familyOfProbe(http(url))),
    [4, 4, 6],
  );
  assert.equal(familyOfProbe(byName), undefined);
});

test('the next hop is asked only where there is one, and no family that is not served', () => {
  const via: GatewayConfig['via'] = { 4: { kind: 'auto' }, 6: { kind: 'onlink' } };
  assert.deepEqual(kinds(via, 4), ['ping', 'http', 'neighbour', 'bfd']);
  assert.deepEqual(kinds(via, 6), ['ping', 'http']);
  assert.deepEqual(kinds({ 4: { kind: 'auto' } }, 6), []);
});
