// All checks together: none for a healthy router, the worst first, and one that fails stops no other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsWith, withoutDirector } from '../../test/doctor-facts.ts';
import type { Facts } from '../model/facts.ts';
import { checks, examine } from './checks.ts';

test('a healthy router has no findings, with or without a director', () => {
  assert.deepEqual(examine(factsWith()), []);
  assert.deepEqual(examine(withoutDirector()), []);
});

test('names of checks are unique', () => {
  assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length);
});

test('the worst comes first, with the name of its check', () => {
  const facts = factsWith({
    clockIsSynchronised: false,
    networkdTakesRules: true,
    sysctl: { 'net/ipv4/ip_forward': '0' },
  });
  assert.deepEqual(
    examine(facts).map(({ severity, check }) => `${severity} ${check}`),
    ['error forwarding', 'warning networkd', 'note clock'],
  );
});

/** Facts of which one group can't be read. */
function without(name: keyof Facts, reason: string): Facts {
  const facts = { ...factsWith({ clockIsSynchronised: false }) };
  return Object.defineProperty(facts, name, {
    get: () => {
      throw new Error(reason);
    },
  });
}

test('what can’t be read is one note for all who need it, and the other checks are made', () => {
  assert.deepEqual(
    examine(without('nft', 'nft is not installed')).map(({ severity, check, what }) => [
      severity,
      check,
      what,
    ]),
    [
      [
        'note',
        'clock',
        'the clock follows no time server: logs, and times that the API tells, may be wrong',
      ],
      ['note', 'marks, source-address, mtu, offload, others', 'not checked: nft is not installed'],
    ],
  );
});
