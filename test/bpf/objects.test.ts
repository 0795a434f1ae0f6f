// The kernel's rules, routes and nftables table after edits that move rules.

import { after, afterEach, describe, test } from 'node:test';
import { openBed } from './bed.ts';
import { assertObjects } from './objects.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => bed.clearServices());

const remove = (fwmark: number): void =>
  bed.edit((table) => ({
    ...table,
    services: table.services.filter((service) => service.fwmark !== fwmark),
  }));

describe('the rules of services stay as they are', () => {
  for (const [which, fwmark] of [
    ['first', 1],
    ['middle', 2],
    ['last', 3],
  ] as const) {
    test(`when the ${which} of three goes and comes back`, () => {
      for (const mark of [1, 2, 3]) bed.setService({ fwmark: mark, gateways: [[1]] });
      assertObjects(bed);
      remove(fwmark);
      assertObjects(bed);
      bed.setService({ fwmark, gateways: [[1]] });
      assertObjects(bed);
    });
  }

  test('when there are too many for a rule each, and when there are fewer again', () => {
    const addTo = (count: number): void =>
      bed.edit((table) => {
        const [service] = table.services;
        const more = Array.from({ length: count }, (_, i) => ({ ...service!, fwmark: i + 1 }));
        return { ...table, services: [...table.services, ...more] };
      });
    addTo(33);
    assertObjects(bed);
    for (const mark of [33, 1, 2, 3]) {
      remove(mark);
      assertObjects(bed);
    }
    bed.clearServices();
    addTo(31);
    assertObjects(bed);
    for (const fwmark of [32, 33, 34]) {
      bed.setService({ fwmark });
      assertObjects(bed);
    }
  });
});

describe('gateways of which more than sixteen came', () => {
  /** The bed has given numbers up to 8: these are 9 to 20, and a jump leads to 16 and beyond. */
  const numbers = Array.from({ length: 12 }, (_, i) => 101 + i);
  const serve = (these: number[]): void => {
    bed.setService({ gateways: these.map((number): [number] => [number]) });
    assertObjects(bed);
  };

  for (const [what, gone] of [
    ['before the first', 107],
    ['the first', 108],
    ['one behind the first', 109],
  ] as const) {
    test(`have their rules when ${what} of a jump goes, another comes, and it comes back`, () => {
      serve(numbers);
      const others = numbers.filter((number) => number !== gone);
      serve(others);
      serve([...others, 120]);
      serve([...numbers, 120]);
    });
  }

  test('leave no jump behind when they go', () => {
    serve(numbers);
    serve([101]);
  });
});
