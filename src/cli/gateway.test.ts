// The list of gateways as people see it, and the words that name one and its capacity.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Gateway } from '../kernel/gateways.ts';
import { findGateway, formatGateways, parseCapacity } from './gateway.ts';

const told: Gateway = {
  ...{ id: 1, address: '192.0.2.1', link: 'eth1', present: true },
  capacity: { down: 250_000_000, up: 40_000_000, downAssumed: false, upAssumed: false },
  rate: { down: 12_345_678, up: 0 },
  connections: { active: 10, inactive: 200 },
  rttUs: 12_345,
};
const untold: Gateway = {
  ...{ id: 12, address: 'fe80::1%eth2', link: 'eth2', present: false },
  capacity: { down: 100_000_000, up: 100_000_000, downAssumed: true, upAssumed: true },
  rate: { down: 0, up: 0 },
  connections: { active: 0, inactive: 0 },
  rttUs: null,
};
const sameHop: Gateway = { ...untold, id: 13, address: 'fe80::1%eth3', link: 'eth3' };

test('gateways are listed in columns, with units', () => {
  assert.equal(
    formatGateways([told, untold]),
    `id  address       link  capacity down      up  now down  up  active  inactive   answer
 1  192.0.2.1     eth1           250M     40M     12.3M   0      10       200  12.3 ms
12  fe80::1%eth2  eth2         (100M)  (100M)         0   0       0         0        -  deleted

capacity, now: bits a second; answer: from SYN to SYN-ACK
in brackets: nobody told; lvsj gateway NAME capacity DOWN UP
`,
  );
  assert.doesNotMatch(formatGateways([told]), /in brackets/);
});

describe('a gateway is named', () => {
  const all = [told, untold, sameHop];
  for (const [name, id] of [
    ['1', 1],
    ['12', 12],
    ['192.0.2.1', 1],
    ['192.0.2.1:0', 1],
    ['192.0.2.1:80', 1],
    ['fe80::1%eth3', 13],
    ['[fe80::1%eth2]:0', 12],
    ['FE80:0::1%eth2', 12],
  ] as const)
    test(`${name}`, () => assert.equal(findGateway(all, name).id, id));

  test('fe80::1, where no other link has it', () => {
    assert.equal(findGateway([told, untold], 'fe80::1').id, 12);
    assert.throws(() => findGateway(all, 'fe80::1'), {
      message:
        'gateway fe80::1: it may be any of fe80::1%eth2, fe80::1%eth3; lvsj gateway lists them',
      status: 1,
    });
  });

  for (const [name, why] of [
    ['192.0.2.9', 'the director has no such gateway'],
    ['2', 'the director has no such gateway (name it by address or number)'],
    ['fiber', 'the director has no such gateway (name it by address or number)'],
  ])
    test(`otherwise than ${name}`, () => {
      const message = `gateway ${name}: ${why}; lvsj gateway lists them`;
      assert.throws(() => findGateway(all, name as string), { message, status: 1 });
    });
});

describe('a capacity', () => {
  for (const [text, bits] of [
    ['250M', 250_000_000],
    ['1.5G', 1_500_000_000],
    ['64k', 64_000],
    ['1000000', 1_000_000],
    ['1000G', 1e12],
    ['0', 0],
    ['-', 0],
  ] as const)
    test(`of ${text}`, () => assert.equal(parseCapacity(text), bits));

  for (const text of ['30', '999', '1001G', '1T', '-5M', 'fast', '', '30Mbit', '1,5G'])
    test(`is not "${text}"`, () => {
      assert.throws(() => parseCapacity(text), {
        message: `capacity "${text}": write bits a second with k, M or G, from 1k to 1000G, e.g. 250M or 1.5G; - for not told`,
        status: 2,
      });
    });
});
