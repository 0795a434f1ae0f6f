// Names of schedulers and their flags.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { schedulers } from '../model/scheduler.ts';
import { parseSchedulerFlags } from './schedulers.ts';

describe('scheduler flags', () => {
  test('come in the order of their bits, each once', () => {
    assert.deepEqual(parseSchedulerFlags('sh-port,,sh-fallback,sh-port', 'sh'), [
      'sh-fallback',
      'sh-port',
    ]);
    assert.deepEqual(parseSchedulerFlags('flag-3,flag-1', 'rr'), ['flag-1', 'flag-3']);
  });

  test('by number get the name that their scheduler gives them, if it gives one', () => {
    assert.deepEqual(parseSchedulerFlags('flag-2,flag-3', 'sh'), ['sh-port']);
  });

  test('of another scheduler and of none are refused', () => {
    assert.throws(() => parseSchedulerFlags('mh-port', 'sh'), {
      message: "incompatible scheduler flag `mh-port'",
      status: 2,
    });
    assert.throws(() => parseSchedulerFlags('sh-port', 'constructor'), /incompatible/);
    assert.throws(() => parseSchedulerFlags('SH-PORT', 'sh'), {
      message: "invalid scheduler flag `SH-PORT'",
      status: 2,
    });
  });

  test('allowed for a scheduler are those that it can be given', () => {
    for (const [scheduler, flags] of schedulers)
      assert.deepEqual(parseSchedulerFlags(flags.join(','), scheduler), [...flags]);
  });
});
