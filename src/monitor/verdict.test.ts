// What each kind of evidence makes of a gateway, by example.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dns, http, ping, Simulator, type World, withPing } from '../../test/gateway-simulator.ts';
import type { MonitorConfig } from '../model/config.ts';
import { defaultMonitor } from '../model/monitor.ts';
import type { Round } from './round.ts';
import { Verdict } from './verdict.ts';

const blind: MonitorConfig = { ...defaultMonitor, probes: [] };
const noCarrier = 'link eth1 has no carrier';

/** Up, and asked for some seconds. */
function steady(config: MonitorConfig, world: Partial<World> = {}): Simulator {
  const simulator = new Simulator(config, world);
  simulator.run(5000);
  assert.deepEqual(simulator.transitions, []);
  return simulator;
}

/** What it came to since it was steady. */
const path = ({ transitions }: Simulator): string => transitions.map(({ to }) => to).join(' ');

const rise = defaultMonitor.rise * defaultMonitor.intervalMs;

describe('a link that can carry nothing', () => {
  test('is down at once, with its own words, and is not probed', () => {
    const simulator = steady(withPing, { openings: 200 });
    simulator.link(noCarrier);
    assert.equal(simulator.verdict.health, 'down');
    assert.equal(simulator.verdict.reason, noCarrier);
    assert.equal(simulator.verdict.since, 5000);
    const { length } = simulator.rounds;
    simulator.run(10_000);
    assert.equal(simulator.rounds.length, length);
  });

  test('is up again once it carries and `rise` rounds were good', () => {
    const simulator = steady(withPing);
    simulator.link(noCarrier);
    simulator.run(3000);
    simulator.link('');
    assert.equal(simulator.verdict.health, 'recovering');
    assert.equal(simulator.verdict.reason, `was down: ${noCarrier}`);
    const took = simulator.timeUntil('up', 10_000);
    // The first round is asked at once.
    assert.equal(took, rise - defaultMonitor.intervalMs + 40);
  });

  test('stays down while nobody answers, though it carries again', () => {
    const simulator = steady(withPing);
    simulator.link(noCarrier);
    simulator.change({ isDead: true });
    simulator.link('');
    simulator.run(60_000);
    assert.equal(path(simulator), 'down recovering down');
    assert.match(simulator.verdict.reason, /^ping 198.51.100.10: no answer in 500 ms$/);
  });

  test('forgets answers to what was asked before', () => {
    const simulator = steady(withPing);
    simulator.run(10);
    simulator.link(noCarrier);
    simulator.run(1000);
    assert.equal(simulator.verdict.health, 'down');
  });
});

describe('without probes', () => {
  test('the link alone takes it down and up again at once', () => {
    const simulator = steady(blind);
    simulator.link(noCarrier);
    simulator.run(2000);
    simulator.link('');
    assert.equal(path(simulator), 'down recovering up');
    assert.equal(simulator.verdict.reason, '');
  });

  for (const [hold, expected] of [
    // At once; `first` doubled; doubled again.
    [{ first: 1000, most: 60_000 }, [0, 2000, 4000]],
    [{ first: 3000, most: 60_000 }, [0, 6000, 12_000]],
    [{ first: 30_000, most: 30_000 }, [0, 30_000, 30_000]],
  ] as const)
    test(`a link that flaps is held for ${hold.first} ms at first, ${hold.most} at the most`, () => {
      const simulator = steady({ ...blind, hold });
      const held = expected.map(() => {
        simulator.link(noCarrier);
        simulator.run(100);
        simulator.link('');
        const took = simulator.timeUntil('up', 60_000) ?? Number.POSITIVE_INFINITY;
        return Math.floor(took / 1000) * 1000;
      });
      assert.deepEqual(held, expected);
    });

  test('a failed neighbour entry takes it down', () => {
    const simulator = steady(blind);
    simulator.neighbour(true);
    assert.equal(simulator.verdict.reason, 'the next hop does not answer');
    simulator.neighbour(false);
    assert.equal(path(simulator), 'down recovering up');
  });

  test('silence makes it suspect, never down, and an answer ends that', () => {
    const simulator = steady(blind, { openings: 200 });
    simulator.change({ isDead: true });
    simulator.run(60_000);
    assert.equal(path(simulator), 'suspect');
    assert.match(simulator.verdict.reason, /^no answer to \d+ new connections in \d+ ms$/);
    simulator.change({ isDead: false });
    simulator.run(200);
    assert.equal(simulator.verdict.health, 'up');
  });

  test('probes that cannot be asked leave the word to the link', () => {
    const simulator = steady(withPing, { isVoid: true });
    simulator.link(noCarrier);
    simulator.link('');
    simulator.run(rise);
    assert.equal(path(simulator), 'down recovering up');
    simulator.neighbour(true);
    simulator.run(rise);
    assert.equal(simulator.verdict.health, 'down');
    assert.equal(simulator.verdict.reason, 'the next hop does not answer');
    simulator.neighbour(false);
    simulator.run(2 * rise);
    assert.equal(simulator.verdict.health, 'up');
  });

  test('probes that can no more be asked are not tried in burst', () => {
    const simulator = steady(withPing);
    simulator.change({ isDead: true });
    simulator.timeUntil('suspect', 2000);
    simulator.change({ isVoid: true });
    simulator.run(1000);
    const { length } = simulator.rounds;
    simulator.run(10_000);
    assert.equal(simulator.rounds.length, length + 10);
  });
});

describe('a failed neighbour entry', () => {
  test('has the probes asked in burst at once', () => {
    const simulator = steady(withPing, { isDead: false });
    simulator.change({ isDead: true });
    simulator.neighbour(true);
    assert.equal(simulator.verdict.health, 'suspect');
    // Two bursts until the third round, whose answer is given up after 4 times what answers took.
    assert.equal(simulator.timeUntil('down', 5000), 200 + 160);
    assert.match(simulator.verdict.reason, /^3 rounds failed: ping/);
  });

  test('is not believed where probes are answered', () => {
    const simulator = steady(withPing);
    simulator.neighbour(true);
    simulator.run(60_000);
    assert.equal(path(simulator), 'suspect up');
  });

  test('is not overruled by what still comes in', () => {
    const simulator = steady(withPing, { streams: true });
    simulator.change({ isDeaf: true });
    simulator.neighbour(true);
    assert.notEqual(simulator.timeUntil('down', 1000), undefined);
  });
});

describe('traffic', () => {
  test('saves pings while it works, but no http', () => {
    const simulator = steady({ ...withPing, probes: [ping, http] }, { openings: 50 });
    const asked = simulator.rounds.slice(2).flatMap(({ probes }) => probes);
    assert.deepEqual(new Set(asked), new Set([http]));
  });

  test('that stops has them asked again', () => {
    const simulator = steady(withPing, { openings: 50 });
    const { length } = simulator.rounds;
    simulator.change({ openings: 0 });
    simulator.run(3000);
    assert.equal(simulator.rounds.length, length + 3);
  });

  test('that nobody answers is suspect once, while probes are answered', () => {
    const simulator = steady(withPing);
    simulator.change({ scans: 50 });
    simulator.run(60_000);
    assert.equal(path(simulator), 'suspect up');
    // Something came in, so the next silence is another one.
    simulator.change({ openings: 50 });
    simulator.run(1000);
    simulator.change({ openings: 0 });
    simulator.run(1000);
    assert.equal(path(simulator), 'suspect up suspect up');
  });

  test('that still comes in does not hide that nothing goes out', () => {
    const simulator = steady(withPing, { openings: 200, streams: true });
    simulator.change({ isDeaf: true });
    assert.notEqual(simulator.timeUntil('down', 700), undefined);
  });

  test('that goes nowhere, as errors say, is suspect and does not work', () => {
    const simulator = steady(withPing);
    const none = { syns: 1, synRepeats: 0, synAnswers: 0, asks: 0, askAnswers: 0, bytesUp: 60 };
    const errors = { unreachables: 5, bytesDown: 280, rttMs: null };
    simulator.verdict.evidence({ at: 5001, ...none, ...errors });
    assert.equal(simulator.verdict.health, 'suspect');
    assert.equal(simulator.verdict.reason, '5 errors say that there is no way');
  });

  test('speaks for DNS only with answers that came by UDP', () => {
    const config = { ...withPing, probes: [ping, dns], quorum: 2 };
    const simulator = steady(config, { openings: 200 });
    simulator.change({ deadHosts: ['dns'] });
    assert.notEqual(simulator.timeUntil('down', 2000), undefined);
    assert.match(
      simulator.verdict.reason,
      /^3 rounds failed: dns 198.51.100.53:53 example.com: no/,
    );
  });
});

test('a wrong answer counts whatever traffic flows', () => {
  const config = { ...withPing, probes: [ping, http], quorum: 2 };
  const simulator = steady(config, { openings: 200 });
  simulator.change({ isPortal: true });
  const took = simulator.timeUntil('down', 10_000) ?? Infinity;
  assert.ok(took <= 2 * config.intervalMs, `${took} ms`);
  const reason = '3 rounds failed: http http://example.com/: status 302 instead of 204';
  assert.equal(simulator.verdict.reason, reason);
});

test('a quorum of one is content with one answer', () => {
  const simulator = steady({ ...withPing, probes: [ping, http] });
  simulator.change({ isPortal: true, deadHosts: ['http'] });
  simulator.run(60_000);
  assert.equal(path(simulator), '');
});

test('an answer to a later round makes silence before it meaningless', () => {
  const verdict = new Verdict({ ...withPing, timeoutMs: 5000 }, 0);
  const tell = (at: number, round: Round | undefined, outcome: 'ok' | 'silent'): void =>
    verdict.result(at, round!.number, { probe: ping, at, outcome, rttMs: null, detail: outcome });
  const first = verdict.due(0);
  for (let at = 100; at < 1000; at += 100) verdict.due(at);
  const second = verdict.due(1000);
  tell(1040, second, 'ok');
  tell(1050, first, 'silent');
  assert.equal(verdict.health, 'up');
});

test('an answer that takes as long as the timeout allows is no failure', () => {
  const simulator = steady(withPing);
  simulator.change({ delayMs: 230 });
  simulator.run(60_000);
  // Suspect at first; then so late an answer is what is expected.
  assert.equal(path(simulator), 'suspect up');
});

test('a daemon that stood still believes no silence of that time', () => {
  const simulator = steady(withPing);
  simulator.neighbour(true);
  simulator.run(10);
  for (let i = 0; i < 20; i++) {
    simulator.stop(400);
    simulator.run(410);
  }
  simulator.run(1000);
  assert.equal(path(simulator), 'suspect up');
});
