// LVSJ_FORWARD.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseForwarder } from './forwarder.ts';

test("the forwarder has our name, or IPVS's if the user wishes", () => {
  assert.equal(parseForwarder(undefined), 'ReInj');
  assert.equal(parseForwarder(''), 'ReInj');
  assert.equal(parseForwarder('ReInj'), 'ReInj');
  assert.equal(parseForwarder('Route'), 'Route');
});

test('any other name of it is refused with those that it may have', () => {
  for (const text of ['Masq', 'route', 'toString'])
    assert.throws(() => parseForwarder(text), {
      message: `LVSJ_FORWARD is "${text}": it may be ReInj or Route`,
      status: 2,
    });
});
