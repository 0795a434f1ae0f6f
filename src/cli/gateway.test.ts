// What the words of lvsj gateway ask for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gatewayState } from '../../test/states.ts';
import { type GatewayRequest, parseCapacity, parseRequest, toAdmin, toTell } from './gateway.ts';

describe('lvsj gateway', () => {
  for (const [words, request] of [
    ['', { kind: 'list', name: undefined }],
    ['fiber', { kind: 'list', name: 'fiber' }],
    ['fiber drain', { kind: 'admin', name: 'fiber', admin: 'drained' }],
    ['fiber enable', { kind: 'admin', name: 'fiber', admin: 'enabled' }],
    ['1 disable', { kind: 'admin', name: '1', admin: 'disabled' }],
    ['1 capacity 1M -', { kind: 'capacity', name: '1', capacity: { down: 1e6, up: 0 } }],
  ] satisfies [string, GatewayRequest][])
    test(`${words} is understood`, () => {
      assert.deepEqual(parseRequest(words === '' ? [] : words.split(' ')), request);
    });

  for (const words of [
    'fiber stop',
    'fiber drain now',
    'fiber capacity',
    '1 capacity 1M',
    '1 toString',
  ])
    test(`${words} is refused`, () => {
      assert.throws(() => parseRequest(words.split(' ')), {
        message: `lvsj gateway ${words}: write lvsj gateway NAME drain, enable or disable, or lvsj gateway NAME capacity DOWN UP`,
        status: 2,
      });
    });
});

describe('a gateway that is told something', () => {
  const waiting = gatewayState({ name: 'lte', id: 0, unavailable: 'no default route on eth3' });

  test('is drained by the name that the configuration has for it', () => {
    assert.equal(toAdmin([gatewayState()], ''), 'fiber');
    assert.equal(toAdmin([waiting], ''), 'lte');
  });

  test('is not drained where only lvsj ipvsadm knows it', () => {
    assert.throws(() => toAdmin([gatewayState({ name: '' })], 'lvsj gateway 1 drain'), {
      message:
        'lvsj gateway 1 drain: no configuration has this gateway; lvsj ipvsadm -e -f … -r 192.0.2.1 -j -w 0 drains it in a service',
      status: 255,
    });
  });

  test('has a capacity in each family that has a number', () => {
    assert.deepEqual(toTell([gatewayState(), gatewayState({ id: 7, family: 6 })], 'fiber'), [1, 7]);
    assert.deepEqual(toTell([gatewayState(), waiting], 'fiber'), [1]);
    assert.throws(() => toTell([waiting], 'lte'), {
      message:
        'gateway lte: it has no next hop yet (no default route on eth3); write its capacity in the configuration file',
      status: 255,
    });
  });
});

describe('a capacity', () => {
  for (const [text, bits] of [
    ['250M', 250_000_000],
    ['1.5G', 1_500_000_000],
    ['64k', 64_000],
    ['1000000', 1_000_000],
    ['1000G', 1e12],
    ['1T', 1e12],
    ['0', 0],
    ['-', 0],
  ] as const)
    test(`of ${text}`, () => assert.equal(parseCapacity(text), bits));

  for (const text of ['30', '999', '1001G', '2T', '-5M', 'fast', '', '30Mbit', '1,5G'])
    test(`is not "${text}"`, () => {
      assert.throws(() => parseCapacity(text), {
        message: `capacity "${text}": write bits a second with k, M or G, from 1k to 1000G, e.g. 250M or 1.5G; - for not told`,
        status: 2,
      });
    });
});
