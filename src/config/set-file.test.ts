// Sets whose prefixes come from a file of their own.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatProblem } from '../model/problem.ts';
import { parseConfig } from './parse.ts';

const file = '/etc/lvsj/lvsj.yaml';

describe('a set', () => {
  const text = 'sets: { a: { prefixes: [10.0.0.0/8], file: nets.txt, domains: [Example.COM.] } }';
  const read = (content: string) => (path: string) => {
    assert.equal(path, '/etc/lvsj/nets.txt');
    return content;
  };

  test('holds what the file beside the configuration has, too', () => {
    const content = '# ours\n10.1.0.0/16\r\n\n  192.0.2.0/24  # lab\n2001:db8::/32';
    const parsed = parseConfig(text, file, read(content));
    assert.ok('config' in parsed);
    assert.deepEqual(parsed.config.sets, [
      {
        name: 'a',
        prefixes: ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32'],
        domains: ['example.com'],
      },
    ]);
  });

  test('has the problems of its file with their place there', () => {
    const parsed = parseConfig(text, file, read('10.1.0.0/16\n  10.1.2.3/16\nnix\n'));
    assert.ok('problems' in parsed);
    assert.deepEqual(parsed.problems.map(formatProblem), [
      '/etc/lvsj/nets.txt:2:3: sets.a.file: "10.1.2.3/16" has bits behind its length; write 10.1.0.0/16 for all of it, or 10.1.2.3 for one address',
      '/etc/lvsj/nets.txt:3:1: sets.a.file: "nix" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32',
    ]);
  });

  test('whose file is something else altogether does not fill the screen', () => {
    const parsed = parseConfig(text, file, read('nix\n'.repeat(1000)));
    assert.ok('problems' in parsed);
    assert.equal(parsed.problems.length, 21);
    assert.match(parsed.problems[0]?.reason ?? '', /980 more bad lines/);
  });
});
