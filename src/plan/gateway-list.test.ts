// Which gateways of a list stayed in it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countKept } from './gateway-list.ts';

const list = (names: string) => [...names].map((address) => ({ address, port: 0 }));

describe('of a list of gateways, newest first, those stay that', () => {
  for (const [have, want, kept, why] of [
    ['', '', 0, 'were none'],
    ['CBA', 'CBA', 3, 'nothing happened to'],
    ['CBA', 'DCBA', 3, 'another came before'],
    ['CBA', 'CA', 2, 'another went between'],
    ['CBA', '', 0, 'were not deleted'],
    ['CBA', 'BCA', 2, 'were not deleted and added again'],
    ['CBA', 'ABC', 1, 'were not deleted and added again, all but one'],
    ['CBA', 'EDB', 1, 'others came and went around'],
  ] as const) {
    test(`${why}: ${have || 'none'}, then ${want || 'none'}`, () => {
      assert.equal(countKept(list(have), list(want)), kept);
    });
  }

  test('have the same port', () => {
    assert.equal(countKept([{ address: 'A', port: 1 }], [{ address: 'A', port: 2 }]), 0);
  });
});
