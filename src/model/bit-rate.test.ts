// Bits a second: what is understood, and how it is shown.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatBitRate, parseBitRate } from './bit-rate.ts';

describe('a bit rate', () => {
  for (const [text, bits] of [
    ['0', 0],
    ['1000000', 1_000_000],
    ['64k', 64_000],
    ['250M', 250_000_000],
    ['1.5G', 1_500_000_000],
    ['0.5M', 500_000],
    ['2.048M', 2_048_000],
    ['1000G', 1e12],
  ] as const)
    test(`${text} is ${bits} bits a second`, () => assert.equal(parseBitRate(text), bits));

  for (const text of ['', '-', '-1M', '+1M', '1.M', '.5M', '1 M', '1m', '1K', '1g', '1T', '1Mbit'])
    test(`"${text}" is none`, () => assert.equal(parseBitRate(text), undefined));

  for (const [bits, text] of [
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
    [1e12, '1000G'],
  ] as const)
    test(`of ${bits} is shown as ${text}`, () => assert.equal(formatBitRate(bits), text));
});
