// How large the shards of the connection table are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from './abi.gen.ts';
import { defaults } from './director.ts';
import { shardSize } from './object.ts';

test('the default table takes 16,384 buckets a shard: the kernel rounds up to a power of two', () => {
  assert.ok(shardSize(defaults.connections) <= 16384);
});

test('the shards together hold more than the table, the smallest too', () => {
  for (const limit of [1024, 4096, defaults.connections, 64 * 1024 * 1024])
    assert.ok(shardSize(limit) * limits.SHARDS > limit, String(limit));
});
