// Settings by their names, and the values that they take.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingRules } from '../model/setting.ts';
import { findRule, formatSettings, parseValue } from './setting.ts';

test('settings are listed with their defaults and what they mean', () => {
  const setting = { name: 'sloppy_tcp', value: 1, default: 0, meaning: 'words' };
  assert.equal(
    formatSettings([setting, { ...setting, name: 'conn_reuse_mode' }]),
    'setting          value  default  meaning\n' +
      'sloppy_tcp           1        0  words\n' +
      'conn_reuse_mode      1        0  words\n',
  );
});

test('a setting that is not there is refused with the names of those that are', () => {
  const want = {
    message: new RegExp(`^lvsj setting: .*"drop_entry", but .*${settingRules.at(-1)?.name}$`),
    status: 2,
  };
  assert.throws(() => findRule('drop_entry'), want);
});

describe('the value', () => {
  for (const { name, largest } of settingRules)
    test(`of ${name} is 0 to ${largest}`, () => {
      const rule = findRule(name);
      for (let value = 0; value <= largest; value++)
        assert.equal(parseValue(rule, String(value)), value);
      for (const text of [String(largest + 1), '-1', '', 'on', '1.0', '0x1'])
        assert.throws(() => parseValue(rule, text), { message: /the value is /, status: 2 });
    });

  test('is explained', () => {
    const explains = (name: string, text: string, message: string) =>
      assert.throws(() => parseValue(findRule(name), text), { message });
    explains('sloppy_tcp', '2', 'lvsj setting sloppy_tcp 2: the value is 0 or 1');
    explains(
      'conn_reuse_mode',
      '4',
      'lvsj setting conn_reuse_mode 4: the value is a whole number from 0 to 3',
    );
  });
});
