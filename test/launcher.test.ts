// The launcher ./lvsj in a small checkout of its own, whose main.ts says how it was started.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run, tryRun } from '../src/util/run.ts';

const sandbox = mkdtempSync(join(tmpdir(), 'lvsj launcher '));
after(() => rmSync(sandbox, { recursive: true }));

/** A checkout with its own node in node_modules, or with none. */
function makeCheckout(name: string, hasNode: boolean): string {
  const root = join(sandbox, name);
  mkdirSync(join(root, 'src/cli'), { recursive: true });
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../lvsj'), join(root, 'lvsj'));
  writeFileSync(
    join(root, 'src/cli/main.ts'),
    'const args: string[] = process.argv.slice(2);\nprocess.stdout.write(JSON.stringify(args));\n',
  );
  if (hasNode) symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
  return join(root, 'lvsj');
}

describe('the launcher', () => {
  test('hands its arguments on as they are', () => {
    assert.equal(run([makeCheckout('plain', true), 'a b', '', '*']), '["a b","","*"]');
  });

  test('finds its checkout through a chain of symbolic links', () => {
    symlinkSync(makeCheckout('linked', true), join(sandbox, 'link'));
    symlinkSync('link', join(sandbox, 'link-to-link'));
    assert.equal(run([join(sandbox, 'link-to-link')]), '[]');
  });

  test('runs from the checkout itself by a bare name', () => {
    const root = join(makeCheckout('bare', true), '..');
    assert.equal(run(['env', '-C', root, 'sh', 'lvsj', '-h']), '["-h"]');
  });

  test('takes a new enough node of the machine', () => {
    const folder = join(process.execPath, '..');
    assert.equal(run(['env', `PATH=${folder}:/usr/bin:/bin`, makeCheckout('path', false)]), '[]');
  });

  test('says what to do when there is no node, or an old one', () => {
    const lvsj = makeCheckout('old', false);
    const old = join(sandbox, 'old-node');
    mkdirSync(old);
    writeFileSync(join(old, 'node'), '#!/bin/sh\necho v18.20.4\n', { mode: 0o755 });
    const expected = (found: string): string =>
      `lvsj needs Node.js 24 or newer, and found ${found}; run \`make build\` in ${join(lvsj, '..')}\n`;
    assert.deepEqual(tryRun(['env', `PATH=${old}:/usr/bin:/bin`, lvsj]), {
      status: 1,
      stdout: '',
      stderr: expected('v18.20.4'),
    });
    assert.equal(tryRun(['env', 'PATH=/nowhere', '/bin/sh', lvsj]).stderr, expected('none'));
  });
});
