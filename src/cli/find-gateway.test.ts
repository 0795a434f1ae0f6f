// The words that name gateways.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gatewayState } from '../../test/states.ts';
import { findGateways } from './find-gateway.ts';

const fiber4 = gatewayState();
const fiber6 = gatewayState({ id: 2, family: 6, address: 'fe80::1%eth1' });
/** Another router with the same address. */
const same = { name: '', address: 'fe80::1%eth2', link: 'eth2', family: 6 as const };
const unnamed = gatewayState({ ...same, id: 12 });
const scoped = gatewayState({ name: 'dsl', id: 3, address: '192.168.1.1%eth3', link: 'eth3' });
const twin = gatewayState({ name: 'cable', id: 4, address: '192.168.1.1%eth4', link: 'eth4' });
const waiting = gatewayState({ name: 'lte', id: 0, address: '', link: 'eth5', present: false });
const all = [fiber4, fiber6, scoped, twin, waiting, unnamed];

describe('a gateway is named', () => {
  for (const [word, found] of [
    ['fiber', [fiber4, fiber6]],
    ['lte', [waiting]],
    ['1', [fiber4]],
    ['12', [unnamed]],
    ['192.0.2.1', [fiber4]],
    ['192.0.2.1:0', [fiber4]],
    ['192.0.2.1:80', [fiber4]],
    ['192.0.2.1%eth1', [fiber4]],
    ['192.168.1.1%eth4', [twin]],
    ['fe80::1%eth1', [fiber6]],
    ['[fe80::1%eth2]:0', [unnamed]],
    ['FE80:0::1%eth2', [unnamed]],
  ] as const)
    test(word, () => assert.deepEqual(findGateways(all, word), found));

  test('by its address alone, where no other link has it', () => {
    assert.deepEqual(findGateways([fiber4, unnamed], 'fe80::1'), [unnamed]);
    assert.throws(() => findGateways(all, 'fe80::1'), {
      message:
        'gateway fe80::1: it may be any of fe80::1%eth1, fe80::1%eth2; lvsj gateway lists them',
      status: 1,
    });
    assert.throws(
      () => findGateways(all, '192.168.1.1'),
      /192\.168\.1\.1%eth3, 192\.168\.1\.1%eth4/,
    );
  });

  test('by an address that a deleted one had too', () => {
    const deleted = { ...fiber4, name: '', id: 9, present: false };
    assert.deepEqual(findGateways([deleted, fiber4], '192.0.2.1'), [fiber4]);
    assert.deepEqual(findGateways([deleted], '192.0.2.1'), [deleted]);
  });

  for (const word of ['192.0.2.9', '192.0.2.1%eth2', '99', '0', 'fibre', ''])
    test(`otherwise than "${word}"`, () => {
      const message = `gateway ${word}: the director has no such gateway (name it by its name, address or number); lvsj gateway lists them`;
      assert.throws(() => findGateways(all, word), { message, status: 1 });
    });
});
