// What bfdd of FRR 8.4.4 says of its peers, recorded; what its timers are is left out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ok, silent } from './answer.ts';
import { judgeSession } from './bfd.ts';

const session = {
  multihop: false,
  peer: '192.0.2.1',
  local: '192.0.2.2',
  vrf: 'default',
  interface: 'eth1',
  id: 3264166468,
  'remote-id': 1678838737,
  'passive-mode': false,
  status: 'up',
  uptime: 6,
  diagnostic: 'ok',
  'remote-diagnostic': 'ok',
};
const judge = (change: object) =>
  judgeSession(JSON.stringify([{ ...session, ...change }]), '192.0.2.1', 'eth1');

describe('a BFD session', () => {
  test('that is up is an answer', () => {
    assert.deepEqual(judge({}), ok(null));
  });

  test('that is down is silence, with its reason', () => {
    const expired = { status: 'down', diagnostic: 'control detection time expired' };
    assert.deepEqual(judge(expired), silent('BFD session down: control detection time expired'));
    assert.deepEqual(judge({ status: 'init' }), silent('BFD session init'));
  });

  test('says nothing where the admin has shut it down, or where it is of another link', () => {
    assert.equal(judge({ status: 'shutdown' }).outcome, 'void');
    assert.equal(judge({ interface: 'eth2' }).outcome, 'void');
    assert.equal(judge({ peer: '203.0.113.1' }).outcome, 'void');
  });

  test('is not guessed from words that are not known', () => {
    for (const json of ['', 'bfdd is not running', '{}', '[{"status":"up"}]'])
      assert.throws(() => judgeSession(json, '192.0.2.1', 'eth1'), { name: 'UserError' });
  });

  test('may be of no link', () => {
    assert.deepEqual(judge({ interface: undefined }), ok(null));
  });
});
