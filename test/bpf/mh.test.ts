// The tables of mh services in the kernel: when they come, change and go.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { decode } from '../../src/kernel/codec.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { maglevTable } from '../../src/plan/maglev.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { toService } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => bed.clear());

const word = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};

const configs = (): abi.Service[] =>
  [...bed.director.maps.services()].map(([, config]) => config).filter(({ key }) => key.fwmark < 9);
const configOf = (fwmark: number): abi.Service =>
  configs().find(({ key }) => key.fwmark === fwmark)!;

/** Ids of the maps, by index. */
const tables = (): [index: number, id: number][] => {
  const map = bed.director.maps.map('mh_tables');
  return [...map.keys()].flatMap((key) => {
    const id = map.get(key)?.readUInt32LE();
    return id ? [[key.readUInt32LE(), id]] : [];
  });
};

function slotsAt(index: number): number[] {
  const id = bed.director.maps.map('mh_tables').get(word(index))!.readUInt32LE();
  const map = BpfMap.byId(id);
  const { slots } = decode(abi.mhTableLayout, map.get(word(0))!);
  map.close();
  return slots;
}

/** What the table of a service must be by what its slots say. */
function wanted({ slots, gatewayCount }: abi.Service): number[] {
  const { maps } = bed.director;
  const gateways = slots.slice(0, gatewayCount).map((slot) => {
    const { gateway, port, lastWeight } = maps.slots.get(slot)!;
    const address = bed.gatewayOf((gateway << bed.director.bits.shift) >>> 0);
    return { address, port, lastWeight, slot };
  });
  return maglevTable(gateways, abi.limits.MH_PLACES);
}

function assertTables(fwmarks: number[]): void {
  const services = fwmarks.map(configOf);
  assert.deepEqual(
    tables().map(([index]) => index),
    services.map(({ index }) => index).toSorted((a, b) => a - b),
  );
  for (const service of services) assert.deepEqual(slotsAt(service.index), wanted(service));
}

const tableId = (): number => tables()[0]![1];

describe('a table of mh', () => {
  test('is there for each service of mh, and for no other', () => {
    bed.setService({ fwmark: 1, scheduler: 'mh', gateways: [[1, 3], [2]] });
    bed.setService({ fwmark: 2, scheduler: 'rr', gateways: [[1]] });
    bed.setService({ fwmark: 3, family: 6, scheduler: 'mh', gateways: [[1], [2], [3]] });
    assertTables([1, 3]);
  });

  test('comes and goes with the scheduler', () => {
    bed.setService({
      scheduler: 'wrr',
      gateways: [
        [1, 3],
        [2, 2],
      ],
    });
    assertTables([]);
    bed.editService(() => ({ scheduler: 'mh' }));
    assertTables([1]);
    bed.editService(() => ({ scheduler: 'sh' }));
    assertTables([]);
  });

  test('goes with its service, also where a new one comes in the same write', () => {
    bed.setService({ fwmark: 1, scheduler: 'mh', gateways: [[1]] });
    const { index } = configOf(1);
    bed.edit((table) => ({
      ...table,
      services: [
        ...table.services.filter(({ fwmark }) => fwmark !== 1),
        toService({ fwmark: 2, scheduler: 'mh', gateways: [[2]] }),
      ],
    }));
    assertTables([2]);
    assert.notEqual(configOf(2).index, index);
  });

  test('follows the list and the weights, but not a drain', () => {
    bed.setService({ scheduler: 'mh', gateways: [[1], [2]] });
    const weigh = (weight: number) =>
      bed.editService(({ gateways: [newest, ...others] }) => ({
        gateways: [{ ...newest!, weight }, ...others],
      }));
    weigh(5);
    assertTables([1]);
    const id = tableId();
    weigh(0);
    assert.equal(tableId(), id);
    weigh(5);
    assert.equal(tableId(), id);
    bed.editService(({ gateways }) => ({ gateways: gateways.slice(1) }));
    assertTables([1]);
    bed.editService(({ gateways }) => {
      const [added] = toService({ gateways: [[3, 7]] }).gateways;
      return { gateways: [added!, ...gateways] };
    });
    assertTables([1]);
    assert.equal(new Set(slotsAt(configOf(1).index)).size, 2);
  });

  test('forgets the weight that a gateway had before it was deleted', () => {
    bed.setService({ scheduler: 'mh', gateways: [[1], [2, 5]] });
    bed.editService(({ gateways }) => ({ gateways: gateways.slice(1) }));
    bed.editService(({ gateways }) => {
      const [drained] = toService({ gateways: [[2, 0]] }).gateways;
      return { gateways: [drained!, ...gateways] };
    });
    assertTables([1]);
    assert.equal(new Set(slotsAt(configOf(1).index)).size, 1);
  });

  test('stays the same where only flags and persistence change', () => {
    bed.setService({ scheduler: 'mh', gateways: [[1], [2]] });
    const id = tableId();
    bed.editService(() => ({ schedulerFlags: ['mh-port'], persistence: 60 }));
    assert.equal(tableId(), id);
  });

  test('goes by the address of a gateway without its link', () => {
    bed.setService({ family: 6, scheduler: 'mh', gateways: [['fe80::7%wan1'], [1]] });
    const service = configOf(1);
    const [first, second] = service.slots as [number, number];
    const share = { port: 0, lastWeight: 1 };
    const want = [
      { ...share, address: gatewayAddress(1, 6), slot: first },
      { ...share, address: 'fe80::7', slot: second },
    ];
    assert.deepEqual(slotsAt(service.index), maglevTable(want, abi.limits.MH_PLACES));
  });

  test('is written with those of other services in one go', () => {
    const services = Array.from({ length: 20 }, (_, i) =>
      toService({ fwmark: 100 + i, scheduler: 'mh', gateways: [[1], [2]] }),
    );
    bed.edit((table) => ({ ...table, services: [...table.services, ...services] }));
    assert.equal(tables().length, 20);
  });
});
