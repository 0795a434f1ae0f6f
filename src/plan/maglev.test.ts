// The table of mh: the vectors of ipvs-semantics §2.10, all from the running kernel.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type MaglevGateway, maglevHash, maglevKeys, maglevOrder, maglevTable } from './maglev.ts';

const places = 4093;
const names = '-ABC';

/** A, B, C = 10.0.1.1, 10.0.2.1, 10.0.3.1 with slots 1, 2, 3, added in this order. */
const gatewaysOf = (...lastWeights: number[]): MaglevGateway[] =>
  lastWeights
    .map((lastWeight, i) => ({ address: `10.0.${i + 1}.1`, port: 0, lastWeight, slot: i + 1 }))
    .toReversed();

const countOf = (table: number[], slot: number): number =>
  table.filter((place) => place === slot).length;
const sharesOf = (...lastWeights: number[]): number[] => {
  const table = maglevTable(gatewaysOf(...lastWeights), places);
  return lastWeights.map((_, i) => countOf(table, i + 1));
};

describe('the hash of mh', () => {
  const word = (address: string) => Buffer.from(address.split('.').map(Number)).readUInt32BE();

  test('is that of IPVS for the clients of the vectors', () => {
    const first = maglevHash(word('192.168.1.1'), maglevKeys.offset);
    assert.equal(first, 0xd3f1b4d3);
    assert.equal(first % places, 2456);
    assert.equal(maglevHash(word('192.168.1.1'), maglevKeys.skip), 0xf99fc1d7);
    const second = maglevHash(word('192.168.1.2'), maglevKeys.offset);
    assert.equal(second, 0x06336950);
    assert.equal(second % places, 811);
  });

  for (const { address, offset, skip } of [
    { address: '10.0.1.1', offset: 944, skip: 519 },
    { address: '10.0.2.1', offset: 1642, skip: 134 },
    { address: '10.0.3.1', offset: 1290, skip: 2497 },
  ])
    test(`makes the order of places of ${address}`, () => {
      assert.deepEqual(maglevOrder({ address, port: 0 }, places), { offset, skip });
    });

  test('adds the port of a gateway to its address', () => {
    const sum = maglevOrder({ address: '10.0.1.0', port: 1 }, places);
    assert.deepEqual(sum, maglevOrder({ address: '10.0.1.1', port: 0 }, places));
  });

  test('folds the four words of an IPv6 address', () => {
    const folded = maglevOrder({ address: '2001:db8::2a01:db9', port: 0 }, places);
    assert.deepEqual(folded, maglevOrder({ address: '10.0.0.1', port: 0 }, places));
  });

  test('does not look at the link of a link-local address', () => {
    const without = maglevOrder({ address: 'fe80::1', port: 0 }, places);
    assert.deepEqual(maglevOrder({ address: 'fe80::1%wan1', port: 0 }, places), without);
  });
});

describe('the table of mh', () => {
  test('has the places of the vectors with equal weights', () => {
    const table = maglevTable(gatewaysOf(1, 1, 1), places);
    const first = table.slice(0, 32).map((slot) => names[slot]);
    assert.equal(first.join(''), 'BAAACACACCBBCAAACACACABBAAAAACAC');
    assert.deepEqual(sharesOf(1, 1, 1), [1364, 1364, 1365]);
  });

  test('has places by weight', () => {
    assert.deepEqual(sharesOf(4, 3, 2), [1818, 1365, 910]);
  });

  test('does not change when all weights have a common factor', () => {
    const table = maglevTable(gatewaysOf(4, 3, 2), places);
    assert.deepEqual(maglevTable(gatewaysOf(4000, 3000, 2000), places), table);
  });

  test('keeps six bits of the heaviest weight', () => {
    // 1000 is ten bits: four go, and 1000, 17, 16 become 62, 1, 1.
    const table = maglevTable(gatewaysOf(62, 1, 1), places);
    assert.deepEqual(maglevTable(gatewaysOf(1000, 17, 16), places), table);
  });

  test('gives the lightest a turn, however little is left of its weight', () => {
    const shares = sharesOf(2 ** 31 - 1, 1);
    assert.deepEqual([shares[1]! > 0, shares[0]! + shares[1]!], [true, places]);
  });

  test('gives none to a gateway without a weight', () => {
    assert.deepEqual(sharesOf(1, 0, 0), [places, 0, 0]);
  });

  test('is empty where nobody has a weight, and where nobody is', () => {
    assert.deepEqual(sharesOf(0, 0), [0, 0]);
    assert.equal(countOf(maglevTable([], places), 0), places);
  });

  test('hardly changes for the others when one goes', () => {
    const [c, b, a] = gatewaysOf(1, 1, 1) as [MaglevGateway, MaglevGateway, MaglevGateway];
    const before = maglevTable([c, b, a], places);
    const after = maglevTable([c, a], places);
    const moved = before.filter((slot, place) => slot !== 2 && after[place] !== slot);
    assert.ok(moved.length < places / 10, `${moved.length} places of others moved`);
  });
});
