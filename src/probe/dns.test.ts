// Which messages are answers to a question.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { readResponse } from './dns.ts';

const question = { name: 'Example.org.', type: 'A' } as const;
const response: Packet = {
  type: 'response',
  id: 7,
  flags: 0x8000 | 3,
  questions: [{ name: 'example.ORG', type: 'A' }],
};
const read = (change: Packet) => readResponse(encode({ ...response, ...change }), 7, question);

describe('a DNS message', () => {
  test('is the answer to a question of its name, type and id', () => {
    assert.equal(read({})?.rcode, 'NXDOMAIN');
  });

  test('is none if one of them differs', () => {
    assert.equal(read({ id: 8 }), undefined);
    assert.equal(read({ type: 'query' }), undefined);
    assert.equal(read({ questions: [] }), undefined);
    assert.equal(read({ questions: [{ name: 'example.org', type: 'AAAA' }] }), undefined);
    assert.equal(read({ questions: [{ name: 'example.com', type: 'A' }] }), undefined);
  });

  test('may be anything, and is then none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.equal(readResponse(Buffer.from(bytes), 7, question), undefined);
      }),
    );
  });
});
