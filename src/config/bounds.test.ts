// What all services together may be.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from './parse.ts';

/** Two tiers in IPv4, one in IPv6: three of those that a director holds. */
const file = (services: number): string => `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8::1 } }
  lte: { link: eth2, via: 203.0.113.1 }
services:
${Array.from({ length: services }, (_, i) => `  s${i}: { fwmark: ${i + 1}, gateways: { fiber: 1, lte: { tier: 4 } } }`).join('\n')}
rules:
  - { service: s0 }
`;

function errorsOf(text: string): string[] {
  const parsed = parseConfig(text, 'lvsj.yaml', () => '');
  return 'problems' in parsed ? parsed.problems.map(({ reason }) => reason) : [];
}

describe('of tiers, each in each family, a director holds', () => {
  test('4096', () => assert.deepEqual(errorsOf(file(1365)), []));
  test('no more', () =>
    assert.deepEqual(errorsOf(file(1366)), [
      '4098 tiers of services in both families together: a director holds 4096',
    ]));
});
