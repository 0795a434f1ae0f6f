// The habits of popt.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readWords } from './words.ts';

/** Switches as `name` or `name=value`, then what belongs to none of them. */
function split(...args: string[]): string[] {
  const rest: string[] = [];
  const words = [...readWords(args, rest)].map(({ found, value }) =>
    value === undefined ? (found.long ?? found.short) : `${found.long}=${value}`,
  );
  return [...words.map(String), ...rest.map((arg) => `<${arg}>`)];
}

describe('a word of the command line', () => {
  test('may be a cluster, whose last switch may take a value', () => {
    assert.deepEqual(split('-Lnc'), ['list', 'numeric', 'connection']);
    assert.deepEqual(split('-Af', '8', '-srr'), [
      'add-service',
      'fwmark-service=8',
      'scheduler=rr',
    ]);
  });

  test('may hold its value behind an equals sign', () => {
    assert.deepEqual(split('--scheduler=rr', '-s=rr'), ['scheduler=rr', 'scheduler=rr']);
    assert.deepEqual(split('-s=', '--scheduler='), ['scheduler=', 'scheduler=']);
  });

  test('takes the next word as its value even if it looks like a switch', () => {
    assert.deepEqual(split('-f', '-5'), ['fwmark-service=-5']);
  });

  test('takes an optional value only if it does not look like a switch', () => {
    assert.deepEqual(split('-p', '30'), ['persistent=30']);
    assert.deepEqual(split('-p', '-o'), ['persistent', 'ops']);
    assert.deepEqual(split('-op'), ['ops', 'persistent']);
  });

  test('is no switch behind two dashes, without a dash, or if it is one dash', () => {
    assert.deepEqual(split('a', '-', '-n', '--', '-c'), ['numeric', '<a>', '<->', '<-c>']);
  });

  test('is quoted whole when it is refused', () => {
    assert.throws(() => split('-Lnq'), { message: '-Lnq: unknown option', status: 255 });
    assert.throws(() => split('--list-all'), { message: '--list-all: unknown option' });
    assert.throws(() => split('--lis'), { message: '--lis: unknown option' });
    assert.throws(() => split('-Lf'), { message: '-Lf: missing argument' });
    assert.throws(() => split('-n=1'), { message: '-n=1: option does not take an argument' });
  });
});
