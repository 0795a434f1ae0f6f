// What is applied, kept in a map of the director.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readApplied, writeApplied } from '../../src/kernel/applied.ts';
import { Director, defaults } from '../../src/kernel/director.ts';
import type { Applied } from '../../src/model/applied.ts';
import { noConfigObjects } from '../../src/model/objects.ts';
import { enterNamespace, makeLinks } from './namespace.ts';

let director: Director;

before(() => {
  enterNamespace();
  makeLinks();
  director = Director.start({ ...defaults, connections: 1024 });
});

after(() => director.stop());

/** One whose text needs many parts: random, so that it can't be compressed away. */
function makeApplied(generation: number, prefixes: number): Applied {
  const list = Array.from({ length: prefixes }, () => String(Math.random()));
  const set = { name: 'many', prefixes: list, domains: [] };
  const config = { sets: [set] } as unknown as Applied['config'];
  const names = {
    admin: {},
    gatewayIds: { 'fiber/4': 1 },
    unavailable: {},
    health: {},
    leaves: [],
  };
  const objects = { objects: noConfigObjects, nftDigest: '' };
  return { config, file: '-', generation, appliedAt: '', ...names, ...objects, unconfirmed: null };
}

test('nothing is applied at first', () => assert.equal(readApplied(director), undefined));

test('what was written is read back, short or long, and the old one takes no more room', () => {
  for (const [generation, prefixes] of [
    [1, 0],
    [2, 20_000],
    [3, 1],
  ] as const) {
    const applied = makeApplied(generation, prefixes);
    writeApplied(director, applied);
    assert.deepEqual(readApplied(director), applied);
  }
  assert.equal([...director.maps.map('applied').keys()].length, 2);
});

test('what nobody wrote anew is not read anew, by whichever handle', () => {
  writeApplied(director, makeApplied(7, 100));
  const applied = readApplied(director);
  const other = Director.find()!;
  assert.equal(readApplied(other), applied);
  writeApplied(other, makeApplied(8, 100));
  other.close();
  assert.equal(readApplied(director)?.generation, 8);
});

test('a writer that was killed before the end has changed nothing', () => {
  const applied = makeApplied(4, 5000);
  writeApplied(director, applied);
  const map = director.maps.map('applied');
  const [head, ...others] = [...map.entries()].sort(([a], [b]) => Buffer.compare(a, b));
  const version = others[0]?.[0].readUInt32LE(0) ?? 0;
  const half = Buffer.from(others[0]?.[0] as Buffer);
  half.writeUInt32LE(version + 1, 0);
  map.set(half, head?.[1] as Buffer);
  assert.deepEqual(readApplied(director), applied);
  writeApplied(director, makeApplied(5, 0));
  assert.equal(readApplied(director)?.generation, 5);
  assert.equal([...map.keys()].length, 2);
});
