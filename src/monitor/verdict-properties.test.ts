// What holds whatever is found, in whatever order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dns, http, ping, Simulator, type World, withPing } from '../../test/gateway-simulator.ts';
import type { MonitorConfig } from '../model/config.ts';
import { isDown } from '../model/health.ts';
import type { Transition } from './judge.ts';
import type { Round } from './round.ts';
import type { EvidenceSample, ProbeResult } from './types.ts';
import { Verdict } from './verdict.ts';

const config: fc.Arbitrary<MonitorConfig> = fc
  .record({
    intervalMs: fc.integer({ min: 200, max: 2000 }),
    rise: fc.integer({ min: 1, max: 5 }),
    fall: fc.integer({ min: 1, max: 5 }),
    quorum: fc.integer({ min: 1, max: 3 }),
    probes: fc.uniqueArray(fc.constantFrom(ping, dns, http), { maxLength: 3 }),
    hold: fc
      .record({ first: fc.integer({ min: 0, max: 5000 }), times: fc.integer({ min: 1, max: 20 }) })
      .map(({ first, times }) => ({ first, most: first * times })),
    loss: fc.option(fc.constant({ down: 20, up: 10 }), { nil: undefined }),
  })
  .map((some) => ({ ...withPing, ...some, quorum: Math.min(some.quorum, some.probes.length) }));

/** One thing that happens, so much later. */
type Happening = { afterMs: number } & (
  | { what: 'link'; problem: string }
  | { what: 'neighbour'; fails: boolean }
  | { what: 'evidence'; opened: number; answered: number; bytesDown: number }
  | { what: 'answer'; nth: number; outcome: ProbeResult['outcome'] }
  | { what: 'time' }
);

const afterMs = fc.oneof({ weight: 20, arbitrary: fc.nat(100) }, fc.nat(3000));
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    afterMs,
    what: fc.constant('link' as const),
    problem: fc.constantFrom('', '', 'no carrier'),
  }),
  fc.record({ afterMs, what: fc.constant('neighbour' as const), fails: fc.boolean() }),
  {
    weight: 3,
    arbitrary: fc.record({
      afterMs,
      what: fc.constant('evidence' as const),
      opened: fc.nat(30),
      answered: fc.constantFrom(0, 0, 5),
      bytesDown: fc.constantFrom(0, 0, 100),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      afterMs,
      what: fc.constant('answer' as const),
      nth: fc.nat(20),
      outcome: fc.constantFrom<ProbeResult['outcome']>('ok', 'silent', 'silent', 'wrong', 'void'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ afterMs, what: fc.constant('time' as const) }) },
);

/** Feeds a verdict, and knows what it has been told. */
class Teller {
  readonly verdict: Verdict;
  readonly #open: { round: Round; probe: ProbeResult['probe'] }[] = [];
  /** Rounds of which something failed, by when they were begun. */
  failed: Round[] = [];
  linkFails = false;
  neighbourFails = false;
  now = 0;

  constructor(config: MonitorConfig) {
    this.verdict = new Verdict(config, 0);
  }

  tell(happening: Happening): Transition[] {
    this.now += happening.afterMs;
    const { now: at, verdict } = this;
    if (happening.what === 'link') {
      this.linkFails = happening.problem !== '';
      verdict.link(at, happening.problem);
    } else if (happening.what === 'neighbour') {
      this.neighbourFails = happening.fails;
      verdict.neighbour(at, happening.fails);
    } else if (happening.what === 'evidence') verdict.evidence(sampleOf(at, happening));
    else if (happening.what === 'answer') this.#answer(happening.nth, happening.outcome);
    const round = verdict.due(at);
    for (const { probe } of round?.questions ?? []) this.#open.push({ round: round!, probe });
    return verdict.takeTransitions();
  }

  #answer(nth: number, outcome: ProbeResult['outcome']): void {
    const [asked] = this.#open.splice(nth % Math.max(1, this.#open.length), 1);
    if (!asked) return;
    const { probe, round } = asked;
    if (outcome === 'silent' || outcome === 'wrong') this.failed.push(round);
    const rttMs = outcome === 'ok' ? 20 : null;
    const result = { probe, at: round.at, outcome, rttMs, detail: outcome };
    this.verdict.result(this.now, round.number, result);
  }
}

const sampleOf = (
  at: number,
  { opened, answered, bytesDown }: { opened: number; answered: number; bytesDown: number },
): EvidenceSample => ({
  at,
  ...{ syns: opened, synRepeats: 0, synAnswers: answered, asks: 0, askAnswers: 0, unreachables: 0 },
  ...{ bytesUp: opened * 60, bytesDown, rttMs: answered > 0 ? 20 : null },
});

const edges = new Set([
  'up suspect',
  'up down',
  'suspect up',
  'suspect down',
  'down recovering',
  'recovering up',
  'recovering down',
]);

test('health goes only where it may, and is down for the link, the neighbour, loss, or `fall` bad rounds since it is suspect', () => {
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 150 }), (config, happenings) => {
      const teller = new Teller(config);
      let suspectSince = 0;
      let isSaid = false;
      let health = 'up';
      for (const happening of happenings) {
        const transitions = teller.tell(happening);
        // A neighbour that failed speaks for a while: rounds of then count as it had it.
        isSaid ||= teller.linkFails || teller.neighbourFails;
        for (const { at, from, to, reason } of transitions) {
          assert.equal(from, health);
          assert.ok(edges.has(`${from} ${to}`), `${from} ${to}`);
          assert.equal(reason === '', to === 'up');
          health = to;
          if (to === 'suspect') {
            suspectSince = at;
            isSaid = teller.neighbourFails;
          }
          if (to !== 'down' || isDown(from)) continue;
          const failed = new Set(teller.failed.filter((round) => round.at >= suspectSince));
          const isLossy = reason.startsWith('loss');
          assert.ok(isSaid || isLossy || failed.size >= config.fall, `${failed.size}, ${reason}`);
        }
      }
      assert.equal(teller.verdict.health, health);
      // While the link carries nothing it is down and nothing else.
      if (teller.linkFails) assert.equal(health, 'down');
    }),
    { numRuns: 1500 },
  );
});

test('it wants to be called in 100 ms at the latest, and asks one round at a time', () => {
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 100 }), (config, happenings) => {
      const teller = new Teller(config);
      for (const happening of happenings) {
        teller.tell(happening);
        const { now, verdict } = teller;
        assert.equal(verdict.due(now), undefined);
        assert.ok(verdict.wakeAt > now && verdict.wakeAt <= now + 100);
      }
    }),
    { numRuns: 300 },
  );
});

const world: fc.Arbitrary<Partial<World>> = fc.record({
  delayMs: fc.integer({ min: 1, max: 200 }),
  jitterMs: fc.constantFrom(0, 400),
  loss: fc.constantFrom(0, 0.02, 0.3, 1),
  isDead: fc.boolean(),
  isDeaf: fc.boolean(),
  isVoid: fc.constantFrom(false, false, true),
  isPortal: fc.boolean(),
  openings: fc.constantFrom(0, 1, 100),
  scans: fc.constantFrom(0, 0, 100),
  streams: fc.boolean(),
});

const allGood: World = {
  ...{ delayMs: 20, jitterMs: 0, loss: 0, isDead: false, isDeaf: false, deadHosts: [] },
  ...{ isPortal: false, isVoid: false, openings: 0, scans: 0, streams: false },
};

const chapter = fc.record({
  world,
  link: fc.constantFrom('', '', 'no carrier'),
  neighbour: fc.boolean(),
  ms: fc.nat(8000),
});

test('once all is good it is up again, after what the configuration says at the most', () => {
  fc.assert(
    fc.property(config, fc.array(chapter, { maxLength: 6 }), (config, chapters) => {
      const simulator = new Simulator(config);
      for (const { world, link, neighbour, ms } of chapters) {
        simulator.change(world);
        simulator.link(link);
        simulator.neighbour(neighbour);
        simulator.run(ms);
      }
      simulator.change(allGood);
      // Traffic is what refutes the suspicion of traffic where nobody can be asked.
      if (config.probes.length === 0) simulator.change({ openings: 10 });
      simulator.link('');
      simulator.neighbour(false);
      const { hold, rise, intervalMs, timeoutMs, window, loss } = config;
      const awaited = timeoutMs + 1000;
      const rounds = rise + 2 + (loss ? window : 0);
      simulator.run(hold.most + rounds * intervalMs + awaited);
      assert.equal(simulator.verdict.health, 'up', simulator.verdict.reason);
    }),
    { numRuns: 150 },
  );
});

test('silent pings alone never take a gateway down that carries traffic', () => {
  const traffic = fc.record({
    openings: fc.integer({ min: 3, max: 300 }),
    scans: fc.nat(20),
    streams: fc.boolean(),
    delayMs: fc.integer({ min: 1, max: 150 }),
  });
  fc.assert(
    fc.property(config, traffic, (some, traffic) => {
      const config = { ...some, intervalMs: 1000, probes: [ping], quorum: 1 };
      const simulator = new Simulator(config, traffic);
      simulator.run(3000);
      simulator.change({ deadHosts: ['ping'] });
      simulator.run(30_000);
      const downs = simulator.transitions.filter(({ to }) => to === 'down');
      assert.deepEqual(downs, []);
    }),
    { numRuns: 60 },
  );
});
