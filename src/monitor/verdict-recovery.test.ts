// When a gateway that was down is up again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Simulator, type World, withPing } from '../../test/gateway-simulator.ts';
import type { MonitorConfig } from '../model/config.ts';

const { intervalMs, timeoutMs, rise, window } = withPing;
const held: MonitorConfig = { ...withPing, hold: { first: 10_000, most: 60_000 } };
const measured: MonitorConfig = { ...withPing, loss: { down: 20, up: 10 } };

function down(config: MonitorConfig, fault: Partial<World>, before: Partial<World> = {}) {
  const simulator = new Simulator(config, before);
  simulator.run(3000);
  simulator.change(fault);
  assert.notEqual(simulator.timeUntil('down', 60_000), undefined);
  return simulator;
}

describe('is up again', () => {
  test('after `rise` good rounds', () => {
    const simulator = down({ ...withPing, hold: { first: 0, most: 0 } }, { isDead: true });
    simulator.run(timeoutMs + 5000);
    simulator.change({ isDead: false });
    const took = simulator.timeUntil('up', 60_000) ?? 0;
    assert.ok(took > (rise - 1) * intervalMs && took <= rise * intervalMs + 40, `${took} ms`);
    assert.equal(simulator.verdict.reason, '');
  });

  test('not before it was well for as long as it is held', () => {
    const simulator = down(held, { isDead: true });
    simulator.run(5000);
    simulator.change({ isDead: false });
    const took = simulator.timeUntil('up', 60_000) ?? 0;
    assert.ok(took >= 10_000 && took <= 10_000 + 2 * intervalMs, `${took} ms`);
  });

  test('and is held anew if it fails for `fall` rounds meanwhile', () => {
    const simulator = down(held, { isDead: true });
    simulator.change({ isDead: false });
    simulator.run(8000);
    simulator.change({ isDead: true });
    simulator.run(5000);
    simulator.change({ isDead: false });
    assert.ok((simulator.timeUntil('up', 60_000) ?? 0) >= 10_000);
  });

  test('but not for one round that is lost', () => {
    const simulator = down(held, { isDead: true });
    simulator.change({ isDead: false });
    simulator.run(5000);
    simulator.change({ isDead: true });
    simulator.run(intervalMs);
    simulator.change({ isDead: false });
    const took = simulator.timeUntil('up', 60_000) ?? 0;
    assert.equal(simulator.transitions.filter(({ to }) => to === 'down').length, 2);
    assert.ok(took <= 6000, `${took} ms`);
  });

  test('as soon after a black hole where loss is measured', () => {
    const simulator = down(measured, { isDead: true });
    simulator.run(60_000);
    simulator.change({ isDead: false });
    const took = simulator.timeUntil('up', 60_000) ?? 0;
    assert.ok(took <= (rise + 1) * intervalMs, `${took} ms`);
  });

  test('after loss once a full window is below `up`', () => {
    const simulator = down(measured, { loss: 0.5 });
    simulator.run(window * intervalMs);
    simulator.change({ loss: 0 });
    const took = simulator.timeUntil('up', 120_000) ?? 0;
    // Half of the window were losses, two of which make 10 %.
    assert.ok(took > (window / 2) * intervalMs, `${took} ms`);
    assert.ok(took <= (window + rise + 1) * intervalMs, `${took} ms`);
  });
});

describe('stays down', () => {
  test('while loss is between `up` and `down`', () => {
    const config = { ...measured, loss: { down: 40, up: 5 } };
    const simulator = down(config, { loss: 0.7 });
    simulator.change({ loss: 0.25 });
    simulator.run(300_000);
    assert.equal(simulator.verdict.health, 'down');
    assert.match(simulator.verdict.reason, /^loss \d+ % \(down from 40 %\)$|^3 rounds failed/);
  });

  test('while only the other side still sends', () => {
    const simulator = down(withPing, { isDeaf: true }, { openings: 200, streams: true });
    // It takes no connections now.
    simulator.change({ openings: 0 });
    simulator.run(60_000);
    assert.equal(simulator.verdict.health, 'down');
  });
});
