// Gateways that go down, seen by real clients: what of them is told, what goes on, what is left alone. Flags
// are set as a daemon would set them; there is none. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Family } from '../../src/model/table.ts';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { families, seen } from './director-lab.ts';
import { Hold } from './hold.ts';
import { LineProgram } from './lines.ts';
import { startSteady } from './steady.ts';

const lab = new ConfigLab('down');
let control: LineProgram;
/** Of `fiber`. */
let ids: Record<Family, number>;

/** Does it in the director's namespace; when it began. */
const tell = (...words: (string | number)[]): Promise<number> => control.ask(words.join(' '));

/** Milliseconds of ours, and what a busy machine adds. */
const soonMs = 400;

/** Both families at once: most of the time is waiting. */
const inBoth = async (what: (family: Family) => Promise<void>): Promise<void> => {
  await Promise.all(families.map(what));
};

/** Holds connections, half of them by each gateway, while something is done; what is heard of that. */
async function whileHeld(words: string, work: (hold: Hold, family: Family) => Promise<void>) {
  await inBoth(async (family) => {
    const hold = new Hold(lab, family, `--count 20 ${words}`);
    const { isp1, isp2 } = seen[family];
    try {
      assert.deepEqual(await hold.make(), { [isp1]: 10, [isp2]: 10 });
      await work(hold, family);
    } finally {
      hold.end();
    }
  });
}

describe('a gateway that is down', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.apply(gateways + everything);
    const list = JSON.parse(lab.lvsj('gateway --json')) as {
      name: string;
      family: Family;
      id: number;
    }[];
    const idOf = (family: Family) =>
      list.find((each) => each.name === 'fiber' && each.family === family)!.id;
    ids = { 4: idOf(4), 6: idOf(6) };
    const program = `${import.meta.dirname}/gateway-control.ts`;
    control = new LineProgram(lab, 'director', [process.execPath, program]);
  });
  after(async () => {
    control?.end();
    await lab.down();
  });
  afterEach(async () => {
    await tell('up', ids[4], ids[6]);
    lab.assertNoStrays();
  });

  test('reset: busy TCP hears of it with its next packet, and others hear nothing', async () => {
    await tell('on-down reset');
    await whileHeld('--interval 0.05', async (hold, family) => {
      const at = await tell('down', ids[family]);
      const troubles = await hold.troubles(10);
      assert.equal(troubles.length, 10);
      const { isp1, isp2 } = seen[family];
      for (const trouble of troubles) {
        assert.deepEqual([trouble.before, trouble.after], [isp1, isp2]);
        assert.match(trouble.error, /ECONNRESET/);
        const late = trouble.failed! - Math.max(at, trouble.asked);
        assert.ok(late < soonMs, `${late} ms`);
      }
    });
  });

  test('reset: idle TCP hears of it as soon as it is poked', async () => {
    await tell('on-down reset');
    await whileHeld('--idle', async (hold, family) => {
      await tell('down', ids[family]);
      assert.deepEqual(await hold.troubles(0), []);
      const at = await tell('poke', ids[family]);
      const troubles = await hold.troubles(10);
      assert.equal(troubles.length, 10);
      for (const { failed, error, after: address } of troubles) {
        assert.match(error, /ECONNRESET/);
        assert.equal(address, seen[family].isp2);
        assert.ok(failed! - at < soonMs, `${failed! - at} ms`);
      }
    });
  });

  for (const action of ['reset', 'reschedule'])
    test(`${action}: UDP goes on by the other link, with its address, from the same socket`, async () => {
      await tell('on-down', action);
      await inBoth(async (family) => {
        const steady = await startSteady(lab, family, { count: 20, udp: true, interval: 0.05 });
        await steady.rounds(2);
        await tell('down', ids[family]);
        await steady.rounds(4);
        const { slowestMs, reasons, answers: _, ...rest } = await steady.end();
        assert.deepEqual(reasons, []);
        const { isp2 } = seen[family];
        assert.deepEqual(rest, { lived: 20, broken: 0, moved: 10, gateways: { [isp2]: 20 } });
        assert.ok(slowestMs < 2 * soonMs, `${slowestMs} ms`);
      });
    });

  test('keep keeps', async () => {
    await tell('on-down keep');
    await inBoth(async (family) => {
      const steady = await startSteady(lab, family, { count: 20, interval: 0.05 });
      await steady.rounds(1);
      await tell('down', ids[family]);
      await steady.rounds(4);
      const { lived, gateways: by } = await steady.end();
      const { isp1, isp2 } = seen[family];
      assert.deepEqual({ lived, by }, { lived: 20, by: { [isp1]: 10, [isp2]: 10 } });
    });
  });
});
