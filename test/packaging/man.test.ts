// The man pages are whole, and man reads them without a warning.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { manPages } from '../../scripts/deb/files.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'lvsj-man-'));
after(() => rmSync(folder, { recursive: true }));

const source = (page: string): string => readFileSync(join(root, 'docs/man', `${page}.md`), 'utf8');

/** What man and groff complain of. */
function warnings(name: string, roff: string): string {
  const path = join(folder, name);
  writeFileSync(path, roff);
  // As lintian asks: UTF-8 in, no tables unless the page says so, up to the typesetter.
  const man = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', MANROFFSEQ: '', MANWIDTH: '80' },
  });
  assert.equal(man.status, 0, man.stderr);
  return man.stderr;
}

/** The words that a page has in bold. */
const boldWords = (page: string): Set<string> =>
  new Set(
    [...source(page).matchAll(/\*\*([^*]+)\*\*/g)].flatMap(
      ([, text]) => text!.match(/[\w-]+/g) ?? [],
    ),
  );

/** The keys of all maps of a JSON Schema. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties } = schema as { properties?: object };
  const own = typeof properties === 'object' ? Object.keys(properties) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}

describe('the man pages', () => {
  for (const page of manPages)
    test(`${page} is read without a warning`, () => {
      const made = spawnSync('go-md2man', { encoding: 'utf8', input: source(page) });
      assert.equal(made.status, 0, made.stderr);
      assert.match(made.stdout, /^\.SH NAME\n\.PP\n\S+ - /m);
      assert.equal(warnings(page, made.stdout), '');
    });

  test('would not be read without a warning were they wrong', () => {
    assert.match(warnings('wrong.8', '.TH WRONG 8\n.SH NAME\nwrong \\- x\n.NOSUCH\n'), /NOSUCH/);
  });

  test('lvsj(8) has every command that the help lists', () => {
    const { stdout } = spawnSync(join(root, 'lvsj'), ['--help'], { encoding: 'utf8' });
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    assert.ok(commands.length >= 7);
    const bold = boldWords('lvsj.8');
    assert.deepEqual(
      commands.filter((name) => !bold.has(name)),
      [],
    );
  });

  test('lvsj.yaml(5) has every key of the configuration', () => {
    const keys = keysOf(JSON.parse(readFileSync(join(root, 'docs/lvsj.schema.json'), 'utf8')));
    assert.ok(keys.length > 50);
    const bold = boldWords('lvsj.yaml.5');
    assert.deepEqual(
      keys.filter((key) => !bold.has(key)),
      [],
    );
  });
});
