// The command as people run it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'lvsj-check-'));
after(() => rmSync(folder, { recursive: true }));

const main = join(import.meta.dirname, 'main.ts');
const lvsj = (...args: string[]) =>
  spawnSync(process.execPath, [main, 'check', ...args], { encoding: 'utf8' });

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const good = written('good.yaml', 'gateways: { a: { link: eth1 } }\nrules: [{ service: main }]\n');
const bad = written(
  'bad.yaml',
  'lan: eth1\ngateways: { a: { link: eth1, vai: auto } }\nruels: []\n',
);

describe('lvsj check', () => {
  test('sums an accepted file up, warnings before', () => {
    const { status, stdout } = lvsj(good);
    assert.equal(
      stdout,
      `${good}:1:13: warning: gateways.a: no service has this gateway\n` +
        `${good}: accepted: 1 gateway, 0 services, 1 rule, 1 warning\n`,
    );
    assert.equal(status, 0);
  });

  test('says all that is wrong with a refused one, in its order', () => {
    const { status, stdout } = lvsj(bad);
    assert.equal(
      stdout,
      `${bad}:1:6: warning: lan: eth1 is the link of gateway a, too; a LAN link is one that clients come in by\n` +
        `${bad}:2:30: gateways.a.vai: there is no key "vai" here; nearest: via\n` +
        `${bad}:3:1: ruels: there is no key "ruels" here; nearest: rules\n` +
        `${bad}: refused: 2 errors, 1 warning\n`,
    );
    assert.equal(status, 1);
  });

  test('tells programs the same', () => {
    const { status, stdout } = lvsj('--json', bad);
    const { file, accepted, problems } = JSON.parse(stdout);
    assert.deepEqual([file, accepted, problems.length, status], [bad, false, 3, 1]);
    assert.deepEqual(problems[1], {
      severity: 'error',
      file: bad,
      line: 2,
      column: 30,
      key: 'gateways.a.vai',
      reason: 'there is no key "vai" here',
      hint: 'nearest: via',
    });
  });

  test('says why a file can not be read', () => {
    const { status, stderr } = lvsj(join(folder, 'gone.yaml'));
    assert.equal(
      stderr,
      `can't read the configuration ${join(folder, 'gone.yaml')}: ENOENT: no such file or directory\n`,
    );
    assert.equal(status, 1);
  });
});
