// Rules as people see them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRules } from './rule.ts';

test('rules are listed with what they decided', () => {
  const rules = [
    { name: 'voip', at: 'lvsj.yaml:31', service: 'lines', packets: 7, bytes: 420 },
    { name: 'tcp 80,443', at: 'lvsj.yaml:32', service: 'web', packets: 12_345, bytes: 740_700 },
  ];
  assert.equal(
    formatRules(rules).join('\n'),
    `rule        service  connections  bytes  where
voip        lines              7    420  lvsj.yaml:31
tcp 80,443  web            12.3k   741k  lvsj.yaml:32`,
  );
});

test('where there are none it says so', () => {
  assert.deepEqual(formatRules([]), [
    'no rules: the configuration that is applied has none, or none is',
  ]);
});
