// Reading a file of commands.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRestore } from './restore.ts';

/** Line number and kind of command, or error. */
const read = (text: string): string[] =>
  [...parseRestore(text)].map((one) =>
    'command' in one
      ? `${one.line} ${one.command.kind}`
      : `${one.line} ${one.fatal ? 'ends' : 'passes'}: ${one.error.message}`,
  );

describe('a file to restore', () => {
  test('is read by lines, with blank ones and comments between them', () => {
    assert.deepEqual(read('# saved\n\n-A -f 1\r\n \t\n  #x\n-a -f 1 -r 192.0.2.1\n'), [
      '3 add-service',
      '6 add-server',
    ]);
  });

  test('may name the program in front of each command', () => {
    assert.deepEqual(read('ipvsadm -C\nlvsj ipvsadm -Z\nipvsadm\n'), ['1 flush', '2 zero']);
  });

  test('knows comments only at the beginning of a line', () => {
    assert.deepEqual(read('-C # all'), ['1 ends: unexpected argument #']);
  });

  test('ends at the first line that misuses the grammar', () => {
    assert.deepEqual(read('-C\n-A -f 0\n-C\n'), [
      '1 flush',
      "2 ends: invalid fwmark value `0' specified",
    ]);
    assert.match(read('garbage\n-C\n').join(), /^1 ends: Try `lvsj ipvsadm -h'[^,]*$/);
    assert.match(read('-R\n-C\n').join(), /^1 ends: Try `lvsj ipvsadm -h'[^,]*$/);
  });

  test('goes on behind a line that the option library refuses', () => {
    assert.deepEqual(read('-A -f 1 -w\n-C\n'), ['1 passes: -w: missing argument', '2 flush']);
  });

  test('is read no further than its commands are asked for', () => {
    const lines = parseRestore('-C\n-A -f 0\n');
    assert.equal(lines.next().done, false);
  });
});
