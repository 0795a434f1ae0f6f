// The whole command line on a director in memory: what is written, printed and returned.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryIo } from '../../test/ipvsadm-memory.ts';
import type { Table } from '../model/table.ts';
import { exit, UserError } from '../util/error.ts';

const marks = (table: Table): number[] => table.services.map(({ fwmark }) => fwmark);

/** Refuses, as the kernel may, every table that has fwmark 2. */
class PickyIo extends MemoryIo {
  readonly refusedMark = 2;
  tries = 0;

  override writeTable(edit: (table: Table) => Table): void {
    this.tries += 1;
    const table = edit(this.table);
    if (marks(table).includes(this.refusedMark)) throw new UserError('no such link', exit.refused);
    super.writeTable(() => table);
  }
}

describe('a command', () => {
  test('writes the table and prints nothing', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-A', '-f', '1']), 0);
    assert.deepEqual([marks(io.table), io.said], [[1], '']);
  });

  test('that is refused prints one line and writes nothing', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-D', '-f', '1']), 255);
    assert.equal(io.stderr, 'No such service\n');
    assert.equal(io.run(['-D']), 2);
    assert.equal(io.writes, 0);
  });

  test('is held against the gateway bits of the director', () => {
    const io = new MemoryIo();
    io.markMask = 0xff00;
    assert.equal(io.run(['-A', '-f', '256']), 2);
    assert.equal(io.run(['-R'], '-A -f 256\n'), 2);
    assert.match(io.stderr, /^invalid fwmark value `256' specified: .* 1\.\.255 are free\n$/);
  });

  test('that meets a bug of ours does not hide it', () => {
    const io = new MemoryIo();
    io.readTable = () => {
      throw new TypeError('a bug');
    };
    assert.throws(() => io.run(['-L']), TypeError);
  });

  test('zeroes counters of a service that is there', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-Z', '-f', '1']), 255);
    assert.equal(io.stderr, 'No such service\n');
    assert.equal(io.run(['-Z']), 0);
  });

  test('prints help without a director', () => {
    const io = new MemoryIo();
    io.readTable = assert.fail;
    assert.equal(io.run(['-h']), 0);
    assert.match(io.stdout, /^lvsj ipvsadm v/);
    assert.equal(io.run(['--version']), 0);
  });
});

describe('a restore', () => {
  test('writes all its lines at once', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-A -f 2\n-a -f 2 -r 192.0.2.1\n'), 0);
    assert.deepEqual([marks(io.table), io.writes], [[1, 2], 1]);
  });

  test('passes over refusals, and its status is that of the last line', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-A -f 1\n-A -f 2\n'), 0);
    assert.deepEqual([marks(io.table), io.stderr], [[1, 2], 'Service already exists\n']);
    assert.equal(io.run(['-R'], '-A -f 3\n-A -f 1\n\n'), 255);
    assert.deepEqual(marks(io.table), [1, 2, 3]);
  });

  test('keeps what stands before a line that misuses the grammar', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-A -f 1\n-A\n-A -f 2\n'), 2);
    assert.deepEqual(marks(io.table), [1]);
    assert.match(io.stderr, /^Service already exists\nYou need to supply .*\n$/);
  });

  test('tries line by line when the director refuses the whole, and says each refusal once', () => {
    const io = new PickyIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-A -f 1\n-A -f 2\n-A -f 3\n'), 0);
    assert.deepEqual(marks(io.table), [1, 3]);
    assert.equal(io.stderr, 'Service already exists\nno such link\n');
    assert.equal(io.run(['-R'], '-A -f 4\n-A -f 2\n'), 255);
  });

  test('says each refusal once, even if the director asks twice what comes of it', () => {
    const io = new MemoryIo();
    const write = io.writeTable.bind(io);
    io.writeTable = (edit) => {
      edit(io.table);
      write(edit);
    };
    assert.equal(io.run(['-R'], '-A -f 1\n-A -f 1\n-A -f 2\n'), 0);
    assert.deepEqual([marks(io.table), io.stderr], [[1, 2], 'Service already exists\n']);
  });

  test('of lines that are all refused writes nothing', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-D -f 1\n-A -f 1 -w\n'), 255);
    assert.equal(io.stderr, 'No such service\n-w: missing argument\n');
    assert.equal(io.writes, 0);
  });

  test('asks the director once for a single line', () => {
    const io = new PickyIo();
    assert.equal(io.run(['-R'], '-A -f 2\n'), 255);
    assert.deepEqual([io.stderr, io.tries], ['no such link\n', 1]);
  });

  test('may list what it has restored so far', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-Sn\n-A -f 2\n-S\n'), 0);
    assert.equal(io.stdout, '-A -f 1 -s wlc\n-A -f 1 -s wlc\n-A -f 2 -s wlc\n');
  });

  test('stops at a listing that fails', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '-A -f 1\n-L -f 9\n-A -f 2\n'), 1);
    assert.deepEqual(marks(io.table), [1]);
  });

  test('of nothing does nothing', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['-R'], '\n# nothing\n'), 0);
    assert.equal(io.writes, 0);
  });
});
