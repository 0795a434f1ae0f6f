// Addresses, numbers and -r, as written by people.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, parseInteger, parseIpv4, parseServer } from './address.ts';

const read = (text: string): string | undefined => {
  const server = parseServer(text);
  return server && `${server.family} ${server.address} ${server.port}`;
};

describe('a number', () => {
  test('is decimal, with blanks and a sign in front', () => {
    assert.equal(parseInteger('010', 0, 99), 10);
    assert.equal(parseInteger(' +5', 0, 99), 5);
    assert.ok(Object.is(parseInteger('-0', 0, 99), 0));
  });

  test('has nothing behind it and keeps to its range', () => {
    for (const text of ['', '5 ', '5x', '0x5', '5.0', '-1', '100', '99999999999999999999'])
      assert.equal(parseInteger(text, 0, 99), undefined, text);
  });
});

describe('an IPv4 address', () => {
  test('may be short, octal or hex, as for every C program', () => {
    assert.equal(parseIpv4('10.2'), 0x0a000002);
    assert.equal(parseIpv4('10.131084'), 0x0a02000c);
    assert.equal(parseIpv4('010.0.0.1'), 0x08000001);
    assert.equal(parseIpv4('0x0a000201'), 0x0a000201);
    assert.equal(parseIpv4('10.0.2.1 x'), 0x0a000201);
  });

  test('is refused when a part is too big, missing or no number', () => {
    for (const text of [
      '10.0.2.256',
      '10.16777216',
      '4294967296',
      '1.2.3.4.5',
      '10..2',
      '10.2.',
      '08',
      '',
    ])
      assert.equal(parseIpv4(text), undefined, text);
  });

  test('is read as it was written', () => {
    const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(fc.property(address, (value) => parseIpv4(formatIpv4(value)) === value));
  });
});

describe('a gateway', () => {
  test('is an address, with a port or not', () => {
    assert.equal(read('192.0.2.1'), '4 192.0.2.1 0');
    assert.equal(read('192.0.2.1:080'), '4 192.0.2.1 80');
    assert.equal(read('2001:DB8:0:0::1'), '6 2001:db8::1 0');
    assert.equal(read('[2001:db8::1]:80'), '6 2001:db8::1 80');
  });

  test('on a link-local address names its link', () => {
    assert.equal(read('fe80::1%eth1.100'), '6 fe80::1%eth1.100 0');
    assert.equal(read('[fe80::1%br-lan]:80'), '6 fe80::1%br-lan 80');
    assert.equal(read('2001:db8::1%eth1'), undefined);
    assert.equal(read('fe80::1%'), undefined);
    assert.equal(read('fe80::1%a%b'), undefined);
  });

  test('is no name, no number, no net and no list', () => {
    const texts = [
      'localhost',
      '192.0.2.1:http',
      '3221225985',
      '192.0.2.0/24',
      '192.0.2.1:1:2',
      ':80',
      '',
    ];
    for (const text of [
      ...texts,
      '192.0.2.1:',
      '192.0.2.1:65536',
      '[2001:db8::1]',
      '[192.0.2.1]:80',
    ])
      assert.equal(read(text), undefined, text);
  });
});
