// A running director, started from another object file, is taken over by this one's programs.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { readApplied, writeApplied } from '../../src/kernel/applied.ts';
import { Director, families } from '../../src/kernel/director.ts';
import { DirectorObject, FormError } from '../../src/kernel/object.ts';
import { replaceOnRoutes } from '../../src/kernel/objects.ts';
import { timersArePinned, unpinTimers } from '../../src/kernel/pin.ts';
import { Program } from '../../src/kernel/program.ts';
import { holdPrograms, replaceOnLinks, routeToDirector } from '../../src/kernel/programs.ts';
import { isCurrent, upgradeIfNeeded } from '../../src/kernel/upgrade.ts';
import { zeroCounters } from '../../src/kernel/write-table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { Bed, gatewayAddress, openBed } from './bed.ts';
import { applied } from './configured.ts';
import { Flow } from './flow.ts';
import { compileDirector } from './other-object.ts';
import { programsOf } from './programs-of.ts';

/** It counts in other steps, so that one sees which of the two has counted. */
const other = compileDirector(
  {
    file: 'stats.h',
    from: 'stats->connections += connections',
    to: 'stats->connections += 10 * connections',
  },
  { file: 'timer.h', from: 'counts->sweeps++', to: 'counts->sweeps += 1000' },
);
const bed = openBed({ object: other });
const { director } = bed;
after(() => bed.close());

const deadlineMs = 20_000;
const flows = Array.from({ length: 12 }, (_, i) => new Flow({ port: 5000 + i }));

/** What the timers leave alone, by map. */
function contents(): Record<string, string> {
  const found: Record<string, string> = {};
  const names = 'slots slot_counts slot_stats service_cursors gateways gateway_bytes verdicts';
  for (const name of `${names} settings slot_zeros memory applied mh_tables`.split(' ')) {
    const map = director.maps.map(name);
    const hash = createHash('sha256');
    // Of a map of maps the ids: the inner ones are the same maps.
    const keys = [...map.keys()].map((key) => Buffer.concat([key, map.get(key) ?? key]));
    for (const entry of keys.sort(Buffer.compare)) hash.update(entry);
    found[name] = hash.digest('hex');
  }
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
  found.connections = bed.connections.map(text).sort().join('\n');
  found.services = [...director.maps.services()].map(text).sort().join('\n');
  return found;
}

const programs = (): number[] => programsOf(director);

const sweeps = (): number => director.maps.tableCounts.get(0)!.sweeps;
const counted = (): number =>
  bed.service(1).gateways.reduce((sum, { totals }) => sum + Number(totals.connections), 0);

/** The other one's programs run again, as at first. */
function goBack(): void {
  assert.ok(upgradeIfNeeded(director, other));
}

/** After it nothing runs the programs that ran before. */
async function upgradeToTheLast(): Promise<void> {
  const old = programs();
  assert.ok(upgradeIfNeeded(director));
  await waitUntil('the old programs to go', () => !old.some((id) => programs().includes(id)));
}

/** A director of which no process holds a program. */
function letGo(from: Bed): void {
  for (const program of Object.values(from.programs)) program.close();
}

describe('upgrade', () => {
  let now = bed;
  const chosen: string[] = [];

  before(() => {
    bed.setService({
      scheduler: 'wrr',
      gateways: [
        [1, { weight: 3 }],
        [101, { weight: 1 }],
      ],
    });
    bed.setService({ fwmark: 2, persistence: 60, scheduler: 'mh', gateways: [[1], [2]] });
    chosen.push(...flows.slice(0, 6).map((flow) => bed.direct(flow.up())));
    bed.direct(new Flow({ client: '10.0.0.9' }).up(), 2);
    zeroCounters(director, { fwmark: 2, family: 4 });
    writeApplied(director, applied({ 'fiber/4': 1 }));
    bed.setSettings({ sloppyTcp: 1 });
  });

  after(() => letGo(now));

  test('leaves everything as it was, and does nothing a second time', () => {
    letGo(bed);
    const [before, old] = [contents(), programs()];
    assert.equal(old.length, 10);
    assert.ok(!isCurrent(director));
    assert.ok(upgradeIfNeeded(director));
    assert.deepEqual(contents(), before);
    assert.ok(isCurrent(director));
    assert.ok(!upgradeIfNeeded(director));
    assert.equal(readApplied(director)?.generation, 3);
    now = new Bed(director);
  });

  test('leaves no old program in the kernel', async () => {
    letGo(now);
    goBack();
    await upgradeToTheLast();
    assert.equal(programs().length, 10);
    now = new Bed(director);
  });

  test('goes on with connections and with the scheduler where they stood', () => {
    const before = counted();
    assert.equal(now.run('director', flows[0]!.up('A'), 1).verdict, 'KNOWN');
    assert.equal(now.run('ingress', flows[0]!.up('A')).verdict, 'KNOWN');
    chosen.push(...flows.slice(6).map((flow) => now.direct(flow.up())));
    const round = [3, 1].flatMap((count, i) => Array(count).fill(gatewayAddress(1 + 100 * i)));
    for (const start of [0, 4, 8])
      assert.deepEqual(chosen.slice(start, start + 4).sort(), round, `the round from ${start} on`);
    assert.equal(counted() - before, 6, 'new programs count by one');
  });

  test('has the timers run the new programs: entries expire, rates move', async () => {
    const step = sweeps() % 1000;
    await waitUntil('a walk', () => sweeps() % 1000 !== step, deadlineMs);
    const rates = () => bed.service(1).gateways.map(({ rates }) => Number(rates.connections));
    await waitUntil('rates', () => rates().some((rate) => rate > 0), deadlineMs);
    const { timeoutS } = director.settings;
    bed.setSettings({ timeoutS: timeoutS.map(() => 1) });
    const left = () => bed.connections.filter(([{ protocol }]) => protocol !== 0);
    await waitUntil('all to expire', () => left().length === 0, deadlineMs);
    bed.setSettings({ timeoutS });
  });

  test('pins the timers again where that was lost', () => {
    goBack();
    unpinTimers();
    upgradeIfNeeded(director);
    assert.ok(timersArePinned());
  });

  test('makes a map that the old director lacks, where every tool finds it', () => {
    goBack();
    const before = director.maps.map('slot_zeros').info.id;
    director.maps.byName.delete('slot_zeros');
    upgradeIfNeeded(director);
    assert.notEqual(director.maps.map('slot_zeros').info.id, before);
  });
});

describe('an upgrade that was killed', () => {
  /** What it does before lvsj_control, which is the last. */
  const steps = [
    (object: DirectorObject) => routeToDirector(object.routePrograms(), families()),
    (object: DirectorObject) => replaceOnLinks(object, director.maps),
    (object: DirectorObject) => replaceOnRoutes(object.routePrograms().uplinkOut, families()),
    holdPrograms,
    (object: DirectorObject) => new Director(object.bindControl(), object.maps()).takeTime(),
  ];

  for (const done of steps.keys())
    test(`after step ${done + 1} leaves a director that works, and the next one finishes`, async () => {
      goBack();
      const object = new DirectorObject(undefined, director.maps);
      for (const step of steps.slice(0, done + 1)) step(object);
      const { ingress, egress } = director.linkPrograms('lan');
      const lan = [ingress, egress!].map((fd) => new Program(fd));
      const flow = new Flow({ port: 6000 + done });
      const { mark } = object.program('lvsj_director').run(flow.up().bytes, { mark: 1 });
      assert.equal(lan[0]!.run(flow.up('A').bytes).mark, mark & director.bits.mask);
      for (const program of lan) program.close();
      object.close();
      const before = sweeps();
      await waitUntil('the timers to run', () => sweeps() !== before, deadlineMs);
      await upgradeToTheLast();
      const whole = new Bed(director);
      assert.equal(whole.direct(flow.up('A')), bed.gatewayOf(mark));
      letGo(whole);
    });
});

describe('a director that can not be taken over', () => {
  const refused = (patch: { from: string; to: string }, map: string): void => {
    const path = compileDirector({ file: 'abi.h', ...patch });
    const before = programs();
    assert.throws(
      () => upgradeIfNeeded(director, path),
      (error) =>
        error instanceof FormError && error.message.includes(`map "${map}" of another form`),
    );
    assert.deepEqual(programs(), before);
  };

  test('has a map of another form', () =>
    refused({ from: '__u32 silent;', to: '__u32 silent, more, evenmore;' }, 'gateway_loads'));

  test('has maps in a map of another form', () =>
    refused({ from: '__u32 opened_us;', to: '__u32 opened_us, more, evenmore;' }, 'connections'));

  test('speaks another ABI: what to do is said', () => {
    const { settings } = director;
    const next = abi.abi.ABI_VERSION + 1;
    director.maps.settings.set(0, { ...settings, abi: next });
    assert.throws(
      () => Director.find(),
      new RegExp(`speaks ABI ${next}, this lvsj ${next - 1}: lvsj upgrade --drain SECONDS`),
    );
    director.maps.settings.set(0, settings);
  });
});
