// Files that nobody would write: whatever they hold, what comes back is a Config or problems with places.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type Parsed, parseConfig } from './parse.ts';

const docs = readFileSync(join(import.meta.dirname, '../../docs/config.md'), 'utf8');
const good = /```yaml\n# \/etc\/lvsj\/lvsj.yaml\n(.*?)```/s.exec(docs)?.[1] ?? '';

const parse = (text: string): Parsed =>
  parseConfig(text, 'lvsj.yaml', () => '10.0.0.0/8\n2001:db8::/32\n');

function check(text: string): void {
  const parsed = parse(text);
  const lines = text.split('\n').length;
  if ('problems' in parsed) assert.ok(parsed.problems.length > 0, 'refused without a problem');
  for (const problem of [...('problems' in parsed ? parsed.problems : []), ...parsed.warnings]) {
    assert.ok(problem.line >= 1 && problem.line <= lines, `line ${problem.line} of ${lines}`);
    assert.ok(problem.column >= 1);
    assert.notEqual(problem.reason, '');
    // Words of the engine are no words for people.
    assert.doesNotMatch(problem.reason, /undefined|NaN|Invalid input|\[object/);
  }
}

test('the file that is mutated is good', () => assert.ok('config' in parse(good)));

test('whatever is cut out of a good file, or written into it, ends in a configuration or in problems with places', () => {
  const words = [
    '{',
    '}',
    '[',
    ']',
    ':',
    '- ',
    '"',
    "'",
    '\n',
    '  ',
    '\t',
    '#',
    '&a ',
    '*a',
    '@',
    '!t ',
    '? ',
    '|',
    '~',
    '0x',
    '-1',
    '::',
    '__proto__',
    'constructor',
    '1e9',
    '.inf',
  ];
  const place = fc.nat({ max: good.length });
  const edit = fc.record({
    place,
    cut: fc.nat({ max: 40 }),
    word: fc.option(fc.constantFrom(...words), { nil: '' }),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let text = good;
      for (const { place: at, cut, word } of edits)
        text = text.slice(0, at) + word + text.slice(at + cut);
      check(text);
    }),
    { numRuns: 300 },
  );
});

const keys = (
  'gateways services rules sets a link via snat ipv4 npt fwmark weight from file domains ' +
  'service api metrics listen persistent monitor probes ping tcp dns http url status body ' +
  'neighbour command hold loss down up interval quorum resolvers on-down failback drain ' +
  'last-resort tier hooks on timeout main __proto__ constructor toString'
).split(' ');

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    'auto',
    '192.0.2.1',
    '2001:db8::1',
    '192.0.2.1:53',
    'http://a.example/',
    '/bin/true',
    '20%',
    '1s',
    'down',
    'reset',
    '10.0.0.0/8',
    '@a',
    'a',
    'main',
    null,
    true,
    Number.NaN,
    -0,
    2 ** 53,
  ),
  fc.integer({ min: -1, max: 300 }),
  fc.string(),
);

/** Whatever YAML can hold, under keys that a file has. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5, depthSize: 'large' }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  map: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 6 }),
}));

test('any value under any of its keys ends in a configuration or in problems with places', () => {
  const file = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 8 });
  fc.assert(
    fc.property(file, (content) => check(stringify(content))),
    { numRuns: 500 },
  );
});

test('any value in the place of a probe, a threshold, a hook ends in a configuration or in problems with places', () => {
  const probes = ['ping', 'tcp', 'dns', 'http', 'neighbour', 'bfd', 'command'];
  const probe = fc.dictionary(fc.constantFrom(...probes), value, { minKeys: 1, maxKeys: 2 });
  const monitor = fc.oneof(
    value,
    fc.record({ probes: fc.array(probe), quorum: value, loss: value, hold: value }),
  );
  const policy = fc.record({ 'on-down': value, failback: value, 'last-resort': value });
  const hooks = fc.oneof(value, fc.array(fc.record({ on: value, command: value, timeout: value })));
  fc.assert(
    fc.property(monitor, policy, hooks, value, (watch, rest, told, resolvers) =>
      check(
        stringify({
          gateways: { a: { link: 'eth1', via: '192.0.2.1', monitor: watch, resolvers } },
          services: { b: { fwmark: 1, gateways: { a: 1 }, ...rest } },
          hooks: told,
        }),
      ),
    ),
    { numRuns: 150 },
  );
});

test('a file of nothing but brackets is refused, not a crash', () => {
  for (const text of ['['.repeat(100_000), `${'a: {'.repeat(5000)}`, '- '.repeat(20_000)])
    check(text);
});

test('aliases that unfold without end are refused', () => {
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
  check(lines.join('\n'));
  assert.ok('problems' in parse(lines.join('\n')));
});
