// What errors come to, and what of anybody's words is passed on.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../util/error.ts';
import { fromError, toDetail, WrongAnswer } from './answer.ts';

const withCode = (code: string): Error => Object.assign(new Error(`it was ${code}`), { code });

describe('a detail', () => {
  test('is one line without what a terminal would obey', () => {
    assert.equal(
      toDetail('\n \u001b[31mred\u0007\tand \u202eturned\nsecond'),
      '[31mred and turned',
    );
  });

  test('is short', () => {
    const detail = toDetail('x'.repeat(1000));
    assert.equal(detail.length, 200);
    assert.ok(detail.endsWith('x…'));
  });
});

describe('an error', () => {
  test('of the network is silence', () => {
    assert.deepEqual(fromError(withCode('ECONNREFUSED')), {
      outcome: 'silent',
      rttMs: null,
      detail: 'refused',
    });
  });

  test('of this machine says nothing of the gateway', () => {
    assert.equal(fromError(withCode('EMFILE')).outcome, 'void');
    assert.equal(fromError(new UserError('fping is not installed')).outcome, 'void');
  });

  test('may be an answer that is wrong', () => {
    assert.equal(fromError(new WrongAnswer('status 302')).outcome, 'wrong');
    assert.equal(fromError(withCode('HPE_INVALID_CONSTANT')).outcome, 'wrong');
  });

  test('that is a bug stays one', () => {
    assert.throws(() => fromError(new TypeError('undefined is not a function')), TypeError);
    const misuse = Object.assign(new TypeError('port'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => fromError(misuse), /port/);
  });
});
