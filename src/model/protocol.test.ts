// IP protocols by name and number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProtocol, parseProtocol } from './protocol.ts';

test('a protocol is a name or a number', () => {
  for (const [word, number] of [
    ['tcp', 6],
    ['UDP', 17],
    ['icmpv6', 58],
    ['template', 0],
    ['47', 47],
    ['255', 255],
  ] as const)
    assert.equal(parseProtocol(word), number, word);
  for (const word of ['', 'http', '256', '-1', '6.0', 'toString'])
    assert.equal(parseProtocol(word), undefined, word);
});

test('a protocol is shown by its name if it has one', () => {
  assert.deepEqual([6, 132, 0, 200].map(formatProtocol), ['tcp', 'sctp', 'template', '200']);
});
