// The driver of the verdicts, with a clock and probes of the test's own.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { defaultMonitor } from '../model/monitor.ts';
import { Monitor } from './monitor.ts';
import type { EvidenceSample, ProbeResult } from './types.ts';
import type { WatchedGateway } from './watched.ts';

const ping = { kind: 'ping', address: '198.51.100.10' } as const;
const config = { ...defaultMonitor, probes: [ping], hold: { first: 0, most: 0 } };

const gateway = (name: string, given: Partial<WatchedGateway> = {}): WatchedGateway => ({
  ...{ key: `${name}/4`, name, family: 4, id: 1, config, problem: '', start: 'up' },
  target: { ...rest, gateway: name, link: 'eth1', family: 4, ...hop },
  ...given,
});

const hop = { nextHop: '192.0.2.1', source: '192.0.2.2', mark: 1 << 24 };
const rest = { firstOfLink: true, resolvers: [] };

const other = {
  ...{ gateway: 'lte', ...rest },
  ...{ link: 'eth2', family: 4 as const, nextHop: '203.0.113.1', source: '203.0.113.2' },
  mark: 2 << 24,
};

/** A link that answers, or not. */
class Bed {
  at = 0;
  answers = true;
  asked = 0;
  readonly told: string[] = [];
  readonly monitor = new Monitor({
    now: () => this.at,
    ask: (questions, _, answered) => {
      this.asked++;
      for (const { probe, timeoutMs } of questions) {
        const outcome = this.answers ? 'ok' : 'silent';
        const result: ProbeResult = { probe, at: this.at, outcome, rttMs: 5, detail: outcome };
        setTimeout(() => answered(result), this.answers ? 5 : timeoutMs);
      }
    },
    sample: (): Map<number, EvidenceSample> => new Map(),
    changed: ({ name }, { from, to }) => this.told.push(`${name} ${from} ${to} at ${this.at}`),
  });

  /** Lets time pass, a millisecond at a time. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.at++;
      mock.timers.tick(1);
    }
  }
}

describe('the monitor', () => {
  let bed: Bed;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    bed = new Bed();
  });
  afterEach(() => {
    bed.monitor.close();
    mock.timers.reset();
  });

  test('asks each interval, and hard once there is doubt', () => {
    bed.monitor.update([gateway('fiber')]);
    bed.pass(5000);
    assert.ok(bed.asked >= 5 && bed.asked <= 6, `${bed.asked} rounds in 5 s`);
    assert.deepEqual(bed.told, []);
    bed.answers = false;
    bed.pass(3300);
    assert.match(bed.told.join(), /^fiber up suspect at \d+,fiber suspect down at \d+$/);
  });

  test('tells a lost link at once, and follows it back', () => {
    bed.monitor.update([gateway('fiber'), gateway('lte', { target: other })]);
    bed.pass(100);
    bed.monitor.linkFailed('eth1', 'link eth1 has no carrier');
    assert.deepEqual(bed.told, [`fiber up down at ${bed.at}`]);
    bed.monitor.update([gateway('fiber'), gateway('lte', { target: other })]);
    bed.pass(5000);
    assert.match(bed.told.slice(1).join(), /^fiber down recovering at \d+,fiber recovering up/);
  });

  test('keeps what it knows of a gateway whose address changes, not of one that goes', () => {
    bed.monitor.update([gateway('fiber')]);
    bed.monitor.linkFailed('eth1', 'link eth1 is down');
    bed.monitor.update([gateway('fiber', { target: other, problem: 'link eth1 is down' })]);
    assert.equal(bed.monitor.isDown('fiber/4'), true);
    bed.monitor.update([]);
    assert.equal(bed.monitor.isDown('fiber/4'), undefined);
    bed.monitor.update([gateway('fiber')]);
    assert.equal(bed.monitor.isDown('fiber/4'), false);
  });

  test('goes on where another was', () => {
    bed.answers = false;
    bed.monitor.update([gateway('fiber', { start: 'down' })]);
    bed.pass(2000);
    assert.equal(bed.monitor.isDown('fiber/4'), true);
    assert.deepEqual(bed.told, []);
  });

  test('asks nobody once it is closed', () => {
    bed.monitor.update([gateway('fiber')]);
    bed.monitor.close();
    const { asked } = bed;
    bed.pass(5000);
    assert.equal(bed.asked, asked);
  });
});
