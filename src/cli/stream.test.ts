// Outputs that are printed while they are made.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../util/run.ts';
import { formatJsonArray } from './stream.ts';

/** What bash prints of a pipe that begins with a program which prints these lines. */
function pipe(lines: string, words: string): string {
  const script = `import { printStream } from '${import.meta.dirname}/stream.ts'; await printStream(${lines});`;
  const argv = ['-c', `set -o pipefail; "$1" --input-type=module -e "$2" ${words}`, 'pipe'];
  return run(['bash', ...argv, process.execPath, script]);
}

describe('a stream of lines', () => {
  test('is printed whole', () => {
    const printed = pipe('Array.from({ length: 100000 }, (_, i) => i)', '| md5sum');
    assert.equal(printed, run(['sh', '-c', 'seq 0 99999 | md5sum']));
    assert.equal(pipe('[]', ''), '');
  });

  test('ends when its reader has seen enough', () => {
    const endless = '(function* () { for (let i = 1; ; i++) yield i; })()';
    assert.equal(pipe(endless, '| head -n 2'), '1\n2\n');
  });
});

test('programs get an array with an item on each line', () => {
  for (const items of [[], [1], [{ a: 1 }, { a: 2 }]]) {
    const lines = [...formatJsonArray(items)];
    assert.deepEqual(JSON.parse(lines.join('\n')), items);
    if (items.length > 0) assert.equal(lines.length, items.length + 2);
  }
});
