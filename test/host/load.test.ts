// bpf/load.h, and what sched_lbw.h and sched_lrtt.h make of packets and of steps of the load timer.

import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { SchedHost } from './sched-host.ts';

const host = new SchedHost();
after(() => host.stop());

/** In the order of sched_host's command `shown`. */
const fields = 'down up fresh downPart upPart freshPart rtt asked'.split(' ');
const one = 1;

async function shown(field: string): Promise<number> {
  return await host.ask('shown', one, fields.indexOf(field));
}

let down = 0;
let up = 0;

/** Steps of a quarter of a second, in each of which so many bytes are carried. */
async function steps(count: number, bytes = { down: 0, up: 0 }, capacity = [0, 0]): Promise<void> {
  for (let i = 0; i < count; i++) {
    down += bytes.down;
    up += bytes.up;
    await host.ask('move', one, down, up, ...capacity);
  }
}

const open = (asks = true) => host.ask('opened', one, Number(asks));
const answered = (microseconds: number) => host.ask('answered', one, microseconds);

beforeEach(async () => {
  down = 0;
  up = 0;
  await host.ask('service', 1, 0);
  await host.ask('insert', one, 1);
});

describe('the average of a gateway', () => {
  test('moves by an eighth of the way each step', async () => {
    await steps(1, { down: 2000, up: 200 });
    assert.deepEqual([await shown('down'), await shown('up')], [1000, 100]);
    await steps(1, { down: 2000, up: 200 });
    assert.deepEqual([await shown('down'), await shown('up')], [1875, 187]);
  });

  test('shows two thirds of a change after two seconds, nine tenths after five', async () => {
    await steps(8, { down: 250_000, up: 0 });
    assert.ok((await shown('down')) > 650_000);
    await steps(12, { down: 250_000, up: 0 });
    assert.ok((await shown('down')) > 900_000);
  });

  test('comes down to nothing', async () => {
    await steps(20, { down: 250_000, up: 250_000 });
    await steps(200);
    assert.ok((await shown('down')) < 8);
    assert.equal(await shown('downPart'), 0);
  });

  test('is also a part of the capacity, of 100 Mbit/s where nobody told it', async () => {
    await steps(100, { down: 250_000, up: 25_000 }, [16_000_000, 1_600_000]);
    const half = 2 ** 23;
    for (const part of ['downPart', 'upPart'])
      assert.ok(Math.abs((await shown(part)) - half) < half / 1000, part);
    await steps(100, { down: 250_000, up: 25_000 });
    assert.ok(Math.abs((await shown('downPart')) - half * 0.16) < half / 1000);
  });
});

describe('a fresh connection', () => {
  test('counts as 512 kbit/s of the capacity, and fades as the average moves', async () => {
    await steps(1, { down: 0, up: 0 }, [5_120_000, 0]);
    const tenth = Math.floor(2 ** 24 / 10);
    assert.equal(await shown('freshPart'), tenth);
    await open();
    await open(false);
    assert.equal(await shown('fresh'), 512);
    await steps(1);
    assert.equal(await shown('fresh'), 448);
  });

  test('and the average together stay what the connection carries', async () => {
    await open();
    for (let i = 0; i < 20; i++) {
      await steps(1, { down: 16_000, up: 0 });
      const together = (await shown('down')) + ((await shown('fresh')) * 64_000) / 256;
      assert.ok(Math.abs(together - 64_000) < 2500, `${together} after ${i + 1} steps`);
    }
  });

  test('is forgotten in the end', async () => {
    await open();
    await steps(40);
    assert.equal(await shown('fresh'), 0);
  });
});

describe('the time until servers answer', () => {
  test('is the first answer, then moves by an eighth of the way', async () => {
    await open();
    await answered(10_000);
    assert.equal(await shown('rtt'), 10_000);
    await answered(18_000);
    assert.equal(await shown('rtt'), 11_000);
    await answered(3000);
    assert.equal(await shown('rtt'), 10_000);
  });

  test('is never 0 once it is known', async () => {
    await answered(0);
    assert.equal(await shown('rtt'), 1);
  });

  test('is unknown again after eight SYNs without an answer and three seconds', async () => {
    await answered(10_000);
    for (let i = 0; i < 8; i++) await open();
    await steps(11);
    assert.equal(await shown('rtt'), 10_000);
    await steps(1);
    assert.equal(await shown('rtt'), 0);
    await answered(20_000);
    assert.equal(await shown('rtt'), 20_000);
  });

  test('stays known with fewer, and with an answer in between', async () => {
    await answered(10_000);
    for (let i = 0; i < 7; i++) await open();
    await steps(100);
    assert.equal(await shown('rtt'), 10_000);
    await open();
    await steps(11);
    await answered(10_000);
    assert.equal(await shown('asked'), 0);
    await steps(100);
    assert.equal(await shown('rtt'), 10_000);
  });

  test('does not count connections that are opened without a SYN', async () => {
    await answered(10_000);
    for (let i = 0; i < 20; i++) await open(false);
    await steps(100);
    assert.equal(await shown('rtt'), 10_000);
  });
});
