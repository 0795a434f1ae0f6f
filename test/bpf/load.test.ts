// What packets and the load timer tell of a gateway, and what lbw and lrtt make of it. The kernel's
// own clock runs: what is waited for are its steps, four a second.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow, flows } from './flow.ts';

const bed = openBed();
const { maps } = bed.director;
const idle: abi.GatewayLoad = {
  last: { down: 0n, up: 0n },
  ...{ down: 0n, up: 0n, downPart: 0, upPart: 0, freshPart: 0, fresh: 0 },
  ...{ rttUs: 0, asked: 0, silent: 0 },
};

/** Ids of the gateways that the tests use, by number. */
const ids = new Map(
  [...maps.gateways.all()].map(([id, { via }]) => [via.word.join(), id] as const),
);
function idOf(number: number): number {
  const word = [0, 0, 0xffff, (0xc0000200 + number) >>> 0].join();
  const id = ids.get(word);
  assert.ok(id, `gateway ${gatewayAddress(number)} has an id`);
  return id;
}
const load = (number: number): abi.GatewayLoad => maps.gatewayLoads.get(idOf(number))!;
const setLoad = (number: number, change: Partial<abi.GatewayLoad>): void => {
  const { last } = load(number);
  maps.gatewayLoads.set(idOf(number), { ...idle, last, ...change });
};
function setCapacity(number: number, down: bigint, up: bigint): void {
  const gateway = maps.gateways.get(idOf(number))!;
  maps.gateways.set(idOf(number), { ...gateway, capacityDown: down, capacityUp: up });
}

after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
    for (const number of [1, 2]) {
      setLoad(number, {});
      setCapacity(number, 0n, 0n);
    }
  }
});

const deadlineMs = 10_000;
const megabit = 1_000_000n;

describe('the time from SYN to SYN-ACK', () => {
  /** Waits at least so long; tells how long it was, in µs. */
  function pause(ms: number): number {
    const start = performance.now();
    while (performance.now() - start < ms);
    return (performance.now() - start) * 1000;
  }

  test('is measured, of the first answer only', () => {
    bed.renewService({ scheduler: 'lrtt', gateways: [[1]] });
    const flow = new Flow();
    const start = performance.now();
    bed.direct(flow.up());
    pause(20);
    bed.run('egress', flow.down('SA'));
    const longest = (performance.now() - start) * 1000;
    const { rttUs, asked } = load(1);
    assert.ok(rttUs >= 20_000 && rttUs <= longest, `${rttUs} µs of ${longest}`);
    assert.equal(asked, 0);
    pause(20);
    bed.run('egress', flow.down('SA'));
    assert.equal(load(1).rttUs, rttUs);
  });

  test('moves the average by an eighth', () => {
    bed.renewService({ scheduler: 'lrtt', gateways: [[1]] });
    setLoad(1, { rttUs: 800_000 });
    const flow = new Flow();
    bed.direct(flow.up());
    bed.run('egress', flow.down('SA'));
    const { rttUs } = load(1);
    assert.ok(rttUs >= 700_000 && rttUs < 720_000, `${rttUs}`);
  });

  for (const [what, packets] of [
    ['a SYN that was sent twice', ['S', 'SA']],
    ['a refusal', ['RA']],
  ] as const)
    test(`is not taken from ${what}`, () => {
      bed.renewService({ scheduler: 'lrtt', gateways: [[1]] });
      const flow = new Flow();
      bed.direct(flow.up());
      for (const flags of packets)
        if (flags === 'S') bed.run('ingress', flow.up(flags));
        else bed.run('egress', flow.down(flags));
      assert.equal(load(1).rttUs, 0);
    });

  test('is forgotten when SYN after SYN stays unanswered', async () => {
    bed.renewService({ scheduler: 'lrtt', gateways: [[1]] });
    setLoad(1, { rttUs: 5000 });
    for (const flow of flows(8)) bed.direct(flow.up());
    assert.deepEqual([load(1).asked, load(1).rttUs], [8, 5000]);
    await waitUntil('nothing known', () => load(1).rttUs === 0, deadlineMs);
  });
});

describe('the averages of bytes', () => {
  const bytes = (flow: Flow, size: number): void => {
    bed.run('ingress', flow.up('A').payload(size));
    bed.run('egress', flow.down('A').payload(2 * size));
  };

  test('rise with what goes through, in both directions, and fall again', async () => {
    bed.renewService({ scheduler: 'lbw', gateways: [[1]] });
    setCapacity(1, 8n * megabit, 4n * megabit);
    const flow = new Flow();
    bed.direct(flow.up());
    const risen = (): boolean => {
      for (let i = 0; i < 20; i++) bytes(flow, 600);
      return load(1).up > 10_000n && load(1).down > 20_000n;
    };
    await waitUntil('a rise', risen, deadlineMs);
    const { down, downPart, up, upPart } = load(1);
    // A part of 2^24 of the capacity; a step may have come in between.
    assert.ok(Math.abs(downPart / (Number(down) * 8 * (2 ** 24 / 8e6)) - 1) < 0.5);
    assert.ok(Math.abs(upPart / (Number(up) * 8 * (2 ** 24 / 4e6)) - 1) < 0.5);
    await waitUntil('a fall', () => load(1).down < down / 2n, deadlineMs);
  });

  test('make lbw send connections to the other gateway', async () => {
    bed.renewService({ scheduler: 'lbw', gateways: [[1], [2]] });
    for (const number of [1, 2]) setCapacity(number, megabit, megabit);
    const flow = new Flow();
    const busy = bed.direct(flow.up());
    const number = busy === gatewayAddress(1) ? 1 : 2;
    const filled = (): boolean => {
      for (let i = 0; i < 20; i++) bytes(flow, 600);
      return load(number).downPart > 2 ** 23;
    };
    await waitUntil('a line that is half full', filled, deadlineMs);
    assert.notEqual(bed.direct(new Flow({ port: 4001 }).up()), busy);
  });

  test('take in what a new connection may carry, until it fades', async () => {
    bed.renewService({ scheduler: 'lbw', gateways: [[1], [2]] });
    setCapacity(1, 30n * megabit, 30n * megabit);
    setCapacity(2, 10n * megabit, 10n * megabit);
    await waitUntil('a step', () => load(1).freshPart > 0 && load(2).freshPart > 0, deadlineMs);
    const chosen = flows(40).map((flow) => bed.direct(flow.up()));
    const first = chosen.filter((gateway) => gateway === gatewayAddress(1)).length;
    // A step may come in between, and then some count for less.
    assert.ok(Math.abs(first - 30) <= 3, `${first} of 40 by the line of 30 of 40 Mbit/s`);
    const { fresh } = load(1);
    await waitUntil('fading', () => load(1).fresh < fresh / 2, deadlineMs);
  });
});
