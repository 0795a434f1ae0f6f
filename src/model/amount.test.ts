// How numbers are shown to people.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount } from './amount.ts';

for (const [amount, text] of [
  [0, '0'],
  [0.4, '0'],
  [7, '7'],
  [999, '999'],
  [999.9, '1k'],
  [64_000, '64k'],
  [12_345, '12.3k'],
  [999_600, '1M'],
  [250_000_000, '250M'],
  [1_500_000_000, '1.5G'],
  [1e12, '1T'],
  [2.5e15, '2.5P'],
  [2 ** 63, '9.22E'],
] as const)
  test(`${amount} is shown as ${text}`, () => assert.equal(formatAmount(amount), text));
