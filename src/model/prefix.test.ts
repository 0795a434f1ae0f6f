// Prefixes of both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromWords } from '../model/address.ts';
import { contains, withPrefix } from './prefix.ts';

test('a prefix holds the addresses of its family that begin as it does', () => {
  for (const [prefix, address, holds] of [
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['10.0.0.6/31', '10.0.0.7', true],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['0.0.0.0/0', '::1', false],
  ] as const)
    assert.equal(contains(prefix, address), holds, `${prefix} ${address}`);
});

test('an address under another prefix keeps its last bits', () => {
  const moved = (prefix: string, address: string) => addressFromWords(withPrefix(prefix, address));
  assert.equal(moved('2001:db8:1::/64', 'fd00:a:b:c::d:1'), '2001:db8:1::d:1');
  assert.equal(moved('2001:db8:1:f0::/60', 'fd00:a:b:c::1'), '2001:db8:1:fc::1');
});
