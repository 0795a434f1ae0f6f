// Widths of numbers and addresses.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCounter, formatEndpoint, formatExpiry } from './format.ts';

describe('a counter', () => {
  test('is shortened from nine digits on, cut and not rounded', () => {
    const cases: [bigint, string][] = [
      [0n, '        0'],
      [99_999_999n, ' 99999999'],
      [100_000_000n, '  100000K'],
      [999_999_999n, '  999999K'],
      [1_000_000_000n, '    1000M'],
      [99_999_999_999n, '   99999M'],
      [100_000_000_000n, '     100G'],
      [99_999_999_999_999n, '   99999G'],
      [100_000_000_000_000n, '     100T'],
      [2n ** 64n - 1n, '18446744T'],
    ];
    for (const [value, text] of cases) assert.equal(formatCounter(value, false), text);
  });

  test('is printed in full if it is to be exact, never without a blank', () => {
    assert.equal(formatCounter(5n, true), '        5');
    assert.equal(formatCounter(123_456_789n, true), ' 123456789');
    assert.equal(formatCounter(2n ** 64n - 1n, true), ' 18446744073709551615');
  });
});

test('an endpoint has brackets around IPv6 only, and a name if there is one', () => {
  const names = (address: string) => (/[.:]1$/.test(address) ? 'isp' : undefined);
  assert.equal(formatEndpoint('192.0.2.1', 0), '192.0.2.1:0');
  assert.equal(formatEndpoint('fe80::2%eth1', 80, names), '[fe80::2%eth1]:80');
  assert.equal(formatEndpoint('192.0.2.1', 0, names), 'isp:0');
  assert.equal(formatEndpoint('2001:db8::1', 0, names), '[isp]:0');
});

test('an expiry is in minutes and seconds, however many minutes', () => {
  assert.equal(formatExpiry(59), '00:59');
  assert.equal(formatExpiry(6000), '100:00');
});
