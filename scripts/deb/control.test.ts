// Versions, changelogs and licences as dpkg reads them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
  fillTemplate,
  formatBody,
  formatChangelog,
  formatLicenses,
  packageVersion,
  parseChangelog,
} from './control.ts';

const unreleased = parseChangelog(
  '# Changelog\n\n## Unreleased\n\n- One thing\n  goes on.\n- Another.\n',
);
const released = parseChangelog('## 0.2.0 (2026-12-01)\n- b\n\n## 0.1.0\n- a\n');
const after = parseChangelog('## Unreleased\n- c\n\n## 0.2.0 (2026-12-01)\n- b\n');

// 2026-11-25 03:42:32 UTC
const commit = { hash: '573b2b7aaaaaaaaaaaaa', seconds: 1795578152, changed: false };

describe('the changelog', () => {
  test('is sections with points of one line each', () => {
    assert.deepEqual(unreleased, [
      { title: 'Unreleased', points: ['One thing goes on.', 'Another.'] },
    ]);
    assert.deepEqual(
      released.map(({ title }) => title),
      ['0.2.0 (2026-12-01)', '0.1.0'],
    );
  });

  test('for Debian has an entry of lines of at most 80 columns', () => {
    const section = { title: 'Unreleased', points: ['word '.repeat(30).trim(), 'Short.'] };
    const text = formatChangelog({ version: '1', section, maintainer: 'A <a@b>', ...commit });
    assert.ok(text.split('\n').every((line) => line.length <= 80));
    assert.match(text, /^lvsj \(1\) unstable; urgency=medium\n\n {2}\* word word.*\n {4}word/);
    assert.match(text, /\n {2}\* Short\.\n\n -- A <a@b> {2}Wed, 25 Nov 2026 03:42:32 \+0000\n$/);
  });
});

describe('the version', () => {
  test('is that of package.json where the changelog has it on top', () => {
    assert.equal(packageVersion('0.2.0', released, commit), '0.2.0');
  });

  test('of unreleased work is older than the release to come, newer than the one before', () => {
    const before = packageVersion('0.1.0', unreleased, commit);
    assert.equal(before, '0.1.0~git20261125.0342.573b2b7');
    const behind = packageVersion('0.2.0', after, commit);
    assert.equal(behind, '0.2.0+git20261125.0342.573b2b7');
    const later = packageVersion('0.1.0', unreleased, { ...commit, seconds: 1795578152 + 60 });
    for (const [older, newer] of [
      [before, '0.1.0'],
      [before, later],
      ['0.2.0', behind],
      [behind, '0.2.1'],
    ]) {
      const { status } = spawnSync('dpkg', ['--compare-versions', older!, 'lt', newer!]);
      assert.equal(status, 0, `${older} is older than ${newer}`);
    }
  });

  test('tells that the checkout has more than the commit', () => {
    const changed = { ...commit, changed: true };
    assert.equal(packageVersion('0.2.0', released, changed), '0.2.0+changed');
    assert.match(packageVersion('0.1.0', unreleased, changed), /\.573b2b7\.changed$/);
  });

  test('is refused where changelog and package.json differ', () => {
    assert.throws(() => packageVersion('0.3.0', released, commit), /says 0\.3\.0, .* "0\.2\.0/);
  });
});

describe('a template', () => {
  test('has values for its names, and an error for one that nobody knows', () => {
    assert.equal(fillTemplate('a@b @X@@Y@', { X: 1, Y: 'z' }), 'a@b 1z');
    assert.throws(() => fillTemplate('@Z@', {}), /@Z@/);
  });
});

describe('the copyright file', () => {
  test('has a paragraph for each licence, and texts as bodies of fields', () => {
    const text = formatLicenses([
      { name: 'yaml', version: '1', license: 'ISC' },
      { name: 'zod', version: '1', license: 'MIT' },
      { name: 'pino', version: '1', license: 'MIT' },
    ]);
    const [isc, mit] = text.split('\n\n');
    assert.match(isc ?? '', /^Files:\n usr\/lib\/lvsj\/node_modules\/yaml\/\*\nCopyright: /);
    assert.match(mit ?? '', /zod\/\*\n usr.*pino\/\*\nCopyright: .*\nLicense: MIT\n The text/);
    assert.equal(formatBody('a\n\nb\n'), ' a\n .\n b');
  });
});
