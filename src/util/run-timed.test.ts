// runTimed on small real programs.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runTimed } from './run-timed.ts';
import { waitUntil } from './wait-until.ts';

const never = new AbortController().signal;
const sh = (script: string): string[] => ['sh', '-c', script];

/** Whether a process is there and more than a zombie. */
function lives(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('runTimed', () => {
  test('returns how the program ended and what it wrote', async () => {
    const result = await runTimed(sh('echo out; echo err >&2; exit 3'), never);
    assert.deepEqual(result, { status: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('gives the program the variables that it is given, and none of this process', async () => {
    process.env.LVSJ_TEST_SECRET = 'x';
    const { stdout } = await runTimed(['env'], never, { env: { LVSJ_LINK: 'a b; $(c)' } });
    const names = stdout.trim().split('\n');
    assert.deepEqual(names.map((line) => line.split('=')[0]).toSorted(), [
      'LANG',
      'LVSJ_LINK',
      'PATH',
    ]);
    assert.ok(names.includes('LVSJ_LINK=a b; $(c)'));
  });

  test('keeps the beginning of what is too long, and lets the program end', async () => {
    const { status, stdout } = await runTimed(sh('yes | head -c 1000000'), never);
    assert.deepEqual({ status, length: stdout.length }, { status: 0, length: 65_536 });
  });

  test('tells what was written before it ends', async () => {
    const stop = new AbortController();
    const written: string[] = [];
    const onStdout = (stdout: string): void => {
      written.push(stdout);
      if (stdout.endsWith('two\n')) stop.abort();
    };
    const running = runTimed(sh('echo one; echo two; sleep 1000'), stop.signal, { onStdout });
    await assert.rejects(running, { name: 'AbortError' });
    assert.equal(written.at(-1), 'one\ntwo\n');
  });

  test('says what to install for a program that is missing', async () => {
    await assert.rejects(runTimed(['/nowhere/fping'], never), {
      name: 'UserError',
      message: '/nowhere/fping is not installed; install the Debian package fping',
    });
  });

  test('kills the program and what it started with the signal', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsj-run-'));
    const file = join(folder, 'pids');
    const stop = new AbortController();
    const script = 'sleep 1000 & echo $$ $! > "$FILE.new"; mv "$FILE.new" "$FILE"; wait';
    const running = runTimed(sh(script), stop.signal, { env: { FILE: file } });
    await waitUntil('start', () => existsSync(file));
    const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
    rmSync(folder, { recursive: true });
    assert.deepEqual(pids.map(lives), [true, true]);
    stop.abort(new Error('enough'));
    await assert.rejects(running, { message: 'enough' });
    await waitUntil('the end of both', () => !pids.some(lives));
  });

  test('leaves no process of a program that has ended', async () => {
    const { stdout } = await runTimed(sh('sleep 1000 & echo $!'), never);
    await waitUntil('the end of it', () => !lives(Number(stdout)));
  });
});
