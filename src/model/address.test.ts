// Addresses as text and as four words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromWords, addressToWords } from './address.ts';

for (const [text, words] of [
  ['0.0.0.0', [0, 0, 0xffff, 0]],
  ['192.0.2.1', [0, 0, 0xffff, 0xc0000201]],
  ['255.255.255.255', [0, 0, 0xffff, 0xffffffff]],
  ['::', [0, 0, 0, 0]],
  ['2001:db8::1', [0x20010db8, 0, 0, 1]],
  ['fe80::1', [0xfe800000, 0, 0, 1]],
] as const)
  test(`${text} is ${words.map((word) => word.toString(16)).join(' ')}, both ways`, () => {
    assert.deepEqual(addressToWords(text), words);
    assert.equal(addressFromWords([...words]), text);
  });

test('a link is no part of the words', () => {
  assert.deepEqual(addressToWords('fe80::1%eth1'), addressToWords('fe80::1'));
});
