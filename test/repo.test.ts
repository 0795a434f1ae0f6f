// Holds the repository to its own rules: sizes, imports, leftovers, file headers.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkCFunctionLength,
  checkFileLength,
  checkFunctionLength,
  checkHeader,
  checkImports,
  checkOnly,
  checkOpenPoints,
  checkPrinting,
  type Rule,
  type SourceFile,
} from './repo-rules.ts';

const root = join(import.meta.dirname, '..');
const folders = ['bpf', 'src', 'test', 'scripts', 'bench'];
const handWritten = /\.(ts|c|h|sh)$/;
/** Generated code and test data are as long as they are. */
const exempt = /\.gen\.ts$|\/golden\//;

function readSources(): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(folder, path),
      ),
    )
    .filter((path) => handWritten.test(path) && !exempt.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const sources = readSources();

function assertKept(rule: Rule): void {
  const problems = sources.flatMap(rule);
  assert.ok(problems.length === 0, `\n${problems.join('\n')}`);
}

describe('the repository', () => {
  test('is read: its rules see its own file', () => {
    assert.ok(sources.some(({ path }) => path === 'test/repo.test.ts'));
  });
  test('has short files', () => assertKept(checkFileLength));
  test('has short functions in TypeScript', () => assertKept(checkFunctionLength));
  test('has short functions in C', () => assertKept(checkCFunctionLength));
  test('imports only downwards', () => assertKept(checkImports));
  test('leaves no test marked .only', () => assertKept(checkOnly));
  test('has an issue for each open point', () => assertKept(checkOpenPoints));
  test('prints only from the command line, the lab, bench and scripts', () => {
    assertKept(checkPrinting);
  });
  test('says in the first line of each file of src what it is for', () => assertKept(checkHeader));
});

/** A function expression of `lines` lines. */
const functionOf = (lines: number): string => `() => {\n${'  f();\n'.repeat(lines - 2)}}`;

describe('a file', () => {
  test('has at most 300 lines', () => {
    const text = (lines: number) => 'f();\n'.repeat(lines);
    assert.deepEqual(checkFileLength({ path: 'bpf/a.h', text: text(300) }), []);
    assert.deepEqual(checkFileLength({ path: 'bpf/a.h', text: text(301) }), [
      'bpf/a.h:301: file of 301 lines, at most 300',
    ]);
  });

  test('of src begins with a comment', () => {
    assert.deepEqual(checkHeader({ path: 'src/a/b.ts', text: '// what for\n' }), []);
    assert.deepEqual(checkHeader({ path: 'src/a/b.ts', text: '/* what for */\n' }), []);
    assert.deepEqual(checkHeader({ path: 'src/a/b.ts', text: "import x from 'y';\n" }), [
      'src/a/b.ts:1: the first line is a comment that says what the file is for',
    ]);
  });

  test('marks open points with an issue', () => {
    const mark = ['TO', 'DO'].join('');
    const found = checkOpenPoints({
      path: 'bpf/a.h',
      text: `// ${mark}(#12): later\n// ${mark}: never`,
    });
    assert.deepEqual(found, [`bpf/a.h:2: ${mark} without an issue number (#12)`]);
  });

  test('marks no test as the only one', () => {
    const text = "test('a', f);\ntest.only('b', f);\n";
    assert.deepEqual(checkOnly({ path: 'src/a/a.test.ts', text }), [
      'src/a/a.test.ts:2: a test marked ".only" hides the others',
    ]);
  });

  test('prints only where printing is its work', () => {
    const text = '// a\nconsole.log(1);\nlog.log(2);\n';
    assert.deepEqual(checkPrinting({ path: 'src/cli/a.ts', text }), []);
    assert.deepEqual(checkPrinting({ path: 'src/plan/a.ts', text }), [
      'src/plan/a.ts:2: console.log outside ^(src\\/cli|src\\/lab|bench|scripts)\\/',
    ]);
  });
});

describe('a function', () => {
  test('in TypeScript has at most 40 lines', () => {
    assert.deepEqual(checkFunctionLength({ path: 'src/a/b.ts', text: functionOf(40) }), []);
    const text = `// why\nconst a = ${functionOf(41)};\n`;
    assert.deepEqual(checkFunctionLength({ path: 'src/a/b.ts', text }), [
      'src/a/b.ts:2: function of 41 lines, at most 40',
    ]);
  });

  test('that is a test has at most 60, and a list of tests any', () => {
    const path = 'src/a/a.test.ts';
    assert.deepEqual(checkFunctionLength({ path, text: `test('a', ${functionOf(60)});` }), []);
    assert.deepEqual(checkFunctionLength({ path, text: `describe('a', ${functionOf(500)});` }), []);
    assert.deepEqual(checkFunctionLength({ path, text: `t.test('a', ${functionOf(61)});` }), [
      `${path}:1: function of 61 lines, at most 60`,
    ]);
  });

  test('that a test file has beside its tests is as short as any', () => {
    const text = `const lab = ${functionOf(41)};`;
    assert.equal(checkFunctionLength({ path: 'test/netns/lab.ts', text }).length, 1);
  });

  test('in C has at most 75 lines, and a table any', () => {
    const body = (lines: number) => `{\n${'\tf();\n'.repeat(lines - 2)}}\n`;
    const table = `static const int primes[] = {\n${'\t2,\n'.repeat(200)}};\n`;
    const short = `static int f(void)\n${body(75)}`;
    assert.deepEqual(checkCFunctionLength({ path: 'bpf/a.h', text: table + short }), []);
    assert.deepEqual(
      checkCFunctionLength({ path: 'bpf/a.h', text: `${short}\nint g(void)\n${body(76)}` }),
      ['bpf/a.h:79: function body of 76 lines, at most 75'],
    );
  });
});

describe('an import', () => {
  const problemsOf = (path: string, text: string): string[] => checkImports({ path, text });

  test('goes to the same folder or to one below', () => {
    assert.deepEqual(problemsOf('src/plan/a.ts', "import { b } from './b.ts';"), []);
    assert.deepEqual(problemsOf('src/plan/a.ts', "import { b } from '../model/b.ts';"), []);
    assert.deepEqual(problemsOf('src/model/a.ts', "// a\nexport * from '../util/b.ts';"), [
      'src/model/a.ts:2: src/model may not import src/util',
    ]);
    assert.deepEqual(problemsOf('src/util/a.ts', "await import('../kernel/b.ts');"), [
      'src/util/a.ts:1: src/util may not import src/kernel',
    ]);
  });

  test('never goes to the command line, or out of src', () => {
    assert.deepEqual(problemsOf('bench/a.ts', "import { b } from '../src/cli/b.ts';"), [
      'bench/a.ts:1: nothing imports src/cli',
    ]);
    assert.deepEqual(problemsOf('src/lab/a.ts', "import { b } from '../../test/b.ts';"), [
      'src/lab/a.ts:1: src imports nothing outside src: "test/b.ts"',
    ]);
  });

  test('from a folder without a row in the table is refused', () => {
    assert.deepEqual(problemsOf('src/new/a.ts', "import { b } from '../model/b.ts';"), [
      'src/new/a.ts:1: src/new has no row in test/repo-rules.ts mayImport',
    ]);
  });

  test('of koffi or child_process is for the folders that touch the kernel', () => {
    const koffi = "import koffi from 'koffi';";
    const spawn = "import { spawn } from 'node:child_process';";
    assert.deepEqual(problemsOf('src/kernel/a.ts', koffi + spawn), []);
    assert.deepEqual(problemsOf('src/util/run.ts', spawn), []);
    assert.match(
      problemsOf('src/lab/a.ts', koffi).join(),
      /^src\/lab\/a.ts:1: only .* import koffi/,
    );
    assert.match(
      problemsOf('src/cli/a.ts', spawn).join(),
      /^src\/cli\/a.ts:1: only .*child_process$/,
    );
  });

  test('of a test may go anywhere', () => {
    assert.deepEqual(problemsOf('src/model/a.test.ts', "import { b } from '../cli/b.ts';"), []);
    assert.deepEqual(problemsOf('test/a.ts', "import { b } from '../src/cli/b.ts';"), []);
  });
});
