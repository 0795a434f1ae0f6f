// How long it takes to find a failure, whenever it comes, and that noise is none.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dns, http, ping, Simulator, type World, withPing } from '../../test/gateway-simulator.ts';
import type { MonitorConfig } from '../model/config.ts';

const seed = fc.integer({ min: 1, max: 1_000_000 });
const config = fc
  .record({
    intervalMs: fc.integer({ min: 500, max: 5000 }),
    fall: fc.integer({ min: 1, max: 6 }),
    timeoutMs: fc.integer({ min: 150, max: 5000 }),
  })
  .map((some): MonitorConfig => ({ ...withPing, ...some }));

/** From then on, at any time of the interval; undefined: never, so far. */
function timeToDown(
  config: MonitorConfig,
  worlds: { before: Partial<World>; after: Partial<World> },
  seed: number,
): number {
  const simulator = new Simulator(config, worlds.before, seed);
  simulator.run(6000 + (seed % config.intervalMs));
  assert.equal(simulator.verdict.health, 'up');
  simulator.change(worlds.after);
  return simulator.timeUntil('down', 60_000) ?? Number.POSITIVE_INFINITY;
}

describe('is found', () => {
  test('a black hole behind an idle link within `fall` intervals and 300 ms', () => {
    fc.assert(
      fc.property(config, seed, (config, seed) => {
        const took = timeToDown(config, { before: { delayMs: 15 }, after: { isDead: true } }, seed);
        const most = config.fall * config.intervalMs + 300;
        assert.ok(took <= most, `${took} ms, at most ${most}`);
      }),
      { numRuns: 60 },
    );
  });

  test('a black hole behind a busy link within 600 ms, whatever the interval', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1000, 10_000),
        fc.boolean(),
        seed,
        (intervalMs, streams, seed) => {
          const before = { openings: 200, streams };
          const config = { ...withPing, intervalMs };
          const took = timeToDown(config, { before, after: { isDead: true } }, seed);
          assert.ok(took <= 600, `${took} ms`);
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const [what, probe, fault] of [
    ['a captive portal', http, { isPortal: true }],
    ['a dead resolver', dns, { deadHosts: ['dns'] }],
  ] as const)
    test(`${what} within two intervals`, () => {
      const config = { ...withPing, probes: [ping, probe], quorum: 2 };
      fc.assert(
        fc.property(seed, (seed) => {
          const worlds = { before: { openings: 50 }, after: fault as Partial<World> };
          const took = timeToDown(config, worlds, seed);
          assert.ok(took <= 2 * config.intervalMs, `${took} ms`);
        }),
        { numRuns: 30 },
      );
    });

  for (const openings of [0, 200])
    test(`30 % loss within 5 s at ${openings} connections a second, 98 times of 100`, () => {
      const config = { ...withPing, intervalMs: 200, loss: { down: 20, up: 10 } };
      const worlds = { before: { openings }, after: { loss: 0.3 } };
      const late = Array.from({ length: 200 }, (_, i) => timeToDown(config, worlds, i + 1)).filter(
        (took) => took > 5000,
      );
      assert.ok(late.length <= 4, `${late.length} times later: ${late}`);
    });

  test('high latency once two windows have it', () => {
    const config = { ...withPing, intervalMs: 200, latency: { down: 100, up: 60 } };
    const simulator = new Simulator(config);
    simulator.run(6000);
    simulator.change({ delayMs: 60 });
    // One window as it goes, and one in burst.
    const took = simulator.timeUntil('down', 60_000) ?? Number.POSITIVE_INFINITY;
    assert.ok(took > 3000 && took <= 20 * 200 + 1000 + 200, `${took} ms`);
    assert.equal(simulator.verdict.reason, 'latency 120 ms (down from 100 ms)');
  });
});

describe('10 minutes do no harm', () => {
  const noise: Partial<World> = { delayMs: 20, jitterMs: 400, loss: 0.02 };

  for (const [what, some, world] of [
    ['with 2 % loss and late answers', {}, {}],
    ['with 2 % loss where loss is measured', { intervalMs: 200, loss: { down: 20, up: 10 } }, {}],
    ['with 2 % loss and some traffic', { intervalMs: 200 }, { openings: 10 }],
    ['with a dead probe host and some traffic', {}, { deadHosts: ['ping'], openings: 5 }],
    [
      'with a dead probe host where loss is measured',
      { loss: { down: 20, up: 10 } },
      { deadHosts: ['ping'], openings: 5 },
    ],
  ] as [string, Partial<MonitorConfig>, Partial<World>][])
    test(`to a gateway ${what}`, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const simulator = new Simulator({ ...withPing, ...some }, { ...noise, ...world }, seed);
        simulator.run(600_000);
        const downs = simulator.transitions.filter(({ to }) => to === 'down');
        assert.deepEqual(downs, [], `seed ${seed}`);
      }
    });

  test('to one whose daemon is stopped for up to a second again and again', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const simulator = new Simulator(withPing, noise, seed);
      while (simulator.now < 600_000) {
        simulator.run((seed * 137 + simulator.now * 7) % 3000);
        simulator.stop((seed * 53 + simulator.now * 3) % 1000);
      }
      const downs = simulator.transitions.filter(({ to }) => to === 'down');
      assert.deepEqual(downs, [], `seed ${seed}`);
    }
  });
});
