// What is written about the file is true: the example, the messages, the JSON Schema.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '../model/problem.ts';
import { formatJsonSchema } from './json-schema.ts';
import { parseConfig } from './parse.ts';
import * as schema from './schema.ts';

const docs = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');

test('docs/lvsj.schema.json is fresh: make generate', () => {
  assert.equal(docs('lvsj.schema.json'), formatJsonSchema());
});

const page = docs('config.md');
const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
const parse = (text: string) => parseConfig(text, '/etc/lvsj/lvsj.yaml', () => '203.0.113.0/24\n');

test('the example of docs/config.md is accepted without a warning', () => {
  const parsed = parse(example);
  assert.deepEqual('problems' in parsed ? parsed.problems.map(formatProblem) : [], []);
  assert.deepEqual(parsed.warnings.map(formatProblem), []);
});

test('the messages in docs/config.md are those that its example would get', () => {
  const parsed = parse(
    example.replace('capacity:', 'capcity:').replace('service: main', 'service: mian'),
  );
  assert.ok('problems' in parsed);
  for (const problem of parsed.problems)
    assert.ok(page.includes(formatProblem(problem)), formatProblem(problem));
  assert.equal(parsed.problems.length, 2);
});

test('docs/config.md names every key of the top, of gateways, monitors, services, rules, sets and hooks', () => {
  const shapes = [schema.file, schema.gateway.in, schema.service.in, schema.rule, schema.set];
  for (const shape of shapes)
    for (const key of Object.keys(shape.shape)) assert.match(page, new RegExp(`\\b${key}\\b`), key);
});
