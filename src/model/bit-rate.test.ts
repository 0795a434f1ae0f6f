// Bits a second: what is understood.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBitRate } from './bit-rate.ts';

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
    ['1T', 1e12],
  ] as const)
    test(`${text} is ${bits} bits a second`, () => assert.equal(parseBitRate(text), bits));

  for (const text of ['', '-', '-1M', '+1M', '1.M', '.5M', '1 M', '1m', '1K', '1g', '1Mbit'])
    test(`"${text}" is none`, () => assert.equal(parseBitRate(text), undefined));
});
