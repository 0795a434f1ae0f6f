// A file's text as a Config, or as the lines that are said of it.

import assert from 'node:assert/strict';
import { parseConfig, type ReadFile } from '../src/config/parse.ts';
import type { Config } from '../src/model/config.ts';
import { formatProblem } from '../src/model/problem.ts';

export const file = '/etc/lvsj/lvsj.yaml';
const noFiles: ReadFile = (path) => {
  throw new Error(`ENOENT: no such file or directory, open '${path}'`);
};

export function accepted(text: string, readFile = noFiles): Config {
  const parsed = parseConfig(text, file, readFile);
  assert.deepEqual('problems' in parsed ? parsed.problems.map(formatProblem) : [], []);
  assert.ok('config' in parsed);
  return parsed.config;
}

/** Each as `line:column: …`. */
export function problemsOf(text: string, readFile = noFiles): string[] {
  const parsed = parseConfig(text, file, readFile);
  const all = [...('problems' in parsed ? parsed.problems : []), ...parsed.warnings];
  return all.map((problem) => formatProblem(problem).replace(`${file}:`, ''));
}

/** The only gateway of a file. */
export function gateway(words: string): Config['gateways'][number] {
  const [found] = accepted(`gateways: { a: { link: eth1, ${words} } }`).gateways;
  assert.ok(found);
  return found;
}

/** The only service of a file. */
export function service(words: string): Config['services'][number] {
  const [found] = accepted(
    `gateways: { a: { link: eth1 } }\nservices: { web: { fwmark: 1, gateways: { a: 1 }, ${words} } }`,
  ).services;
  assert.ok(found);
  return found;
}
