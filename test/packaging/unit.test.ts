// lvsj.service as systemd's own tools judge it, where they are; it runs under systemd in `make test-deb`.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const packaging = join(root, 'packaging');
const unit = readFileSync(join(packaging, 'lvsj.service'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'lvsj-unit-'));
after(() => rmSync(folder, { recursive: true }));

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const skip = analyze('--version').status === 0 ? false : 'systemd-analyze is not installed';

/** The exit status of ExecCondition= for this configuration. */
function condition(config: string): number | null {
  const path = join(folder, 'lvsj.yaml');
  writeFileSync(path, config);
  const script = /^ExecCondition=\/bin\/sh -c '([^']+)'/ms.exec(unit)?.[1] ?? '';
  const command = script.replaceAll('\\\n', '').replace('/etc/lvsj/lvsj.yaml', path);
  return spawnSync('sh', ['-c', command]).status;
}

describe('lvsj.service', () => {
  test('is without mistakes', { skip }, () => {
    const path = join(folder, 'lvsj.service');
    writeFileSync(path, unit.replaceAll('/usr/bin/lvsj', join(root, 'lvsj')));
    const { stderr } = analyze('verify', '--man=no', path);
    // It reads units of the machine too, which may have mistakes of their own.
    assert.deepEqual(
      stderr.split('\n').filter((line) => line.includes('lvsj')),
      [],
    );
  });

  test('is shut in: no exposure of 4.0 or more', { skip }, () => {
    const args = ['--offline=true', '--threshold=39', '--no-pager'];
    const { status, stdout } = analyze('security', ...args, join(packaging, 'lvsj.service'));
    assert.equal(status, 0, stdout);
  });

  test('waits while the configuration holds comments only, and begins when it says something', () => {
    assert.equal(condition(readFileSync(join(packaging, 'lvsj.yaml'), 'utf8')), 1);
    assert.equal(condition('\n  # indented\n\t\n'), 1);
    assert.equal(condition('# a comment\nlan: eth0 # why\n'), 0);
  });

  test('never ends the director', () => {
    const commands = unit.split('\n').filter((line) => line.startsWith('Exec'));
    assert.deepEqual(
      commands.map((line) => line.split('=')[0]),
      ['ExecCondition', 'ExecStart', 'ExecReload'],
    );
    for (const name of ['preinst', 'postinst', 'prerm', 'postrm']) {
      const script = readFileSync(join(packaging, 'debian', name), 'utf8');
      const said = script.split('\n').filter((line) => /^\s*(#|echo )/.test(line));
      const run = script.split('\n').filter((line) => !said.includes(line));
      assert.doesNotMatch(run.join('\n'), /lvsj stop/, name);
    }
  });
});

/** What `lvsj check` says of it: nothing if it is accepted. */
function complaints(config: string): string {
  const path = join(folder, 'example.yaml');
  writeFileSync(path, config);
  const { status, stdout, stderr } = spawnSync(join(root, 'lvsj'), ['check', path], {
    encoding: 'utf8',
  });
  return status === 0 ? '' : stdout + stderr;
}

describe('the example configuration', () => {
  test('is accepted once the # of its lines are taken away', () => {
    const [, example = ''] = readFileSync(join(packaging, 'lvsj.yaml'), 'utf8').split('\n#\n');
    assert.equal(complaints(example.replace(/^#/gm, '')), '');
  });

  test('of the man page is accepted', () => {
    const page = readFileSync(join(root, 'docs/man/lvsj.yaml.5.md'), 'utf8');
    assert.equal(complaints(page.split('```')[1] ?? ''), '');
  });
});
