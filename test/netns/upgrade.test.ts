// lvsj upgrade under real traffic: nobody notices that the director's programs are others. Needs root.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inHost } from '../../src/lab/lab.ts';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { compileDirector } from '../bpf/other-object.ts';
import {
  DirectorLab,
  families,
  lvsjProgram,
  markNew,
  recipeTable,
  seen,
  snatAll,
} from './director-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new DirectorLab('upgrade');
const folder = mkdtempSync(`${tmpdir()}/lvsj-upgrade-`);
const file = `${folder}/lvsj.yaml`;
const other = compileDirector({
  file: 'stats.h',
  from: 'stats->connections += connections',
  to: 'stats->connections += 10 * connections',
});

const config = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: "2001:db8:2::1" } }
services:
  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: 1, lte: 1 } }
rules:
  - { name: lan, from: [10.0.0.0/24, "2001:db8:10::/64"], service: web }
`;

const done = "upgraded: the director runs this lvsj's programs now\n";
const nothing = "nothing to do: the director runs this lvsj's programs\n";

/** program OBJECT, or abi NUMBER. */
const makeOther = (what: 'program' | 'abi', value: string): void => {
  const script = `${import.meta.dirname}/other-director.ts`;
  lab.run('director', [process.execPath, script, what, value]);
};

const changes = (stdout: string): string[] =>
  stdout.split('\n').filter((line) => /^[+~!-] /.test(line));

/** All of them live, each where it was. */
async function assertLive(steady: SteadyRun, count: number): Promise<void> {
  const { lived, broken, moved, reasons } = await steady.end();
  assert.deepEqual(
    { lived, broken, moved },
    { lived: count, broken: 0, moved: 0 },
    String(reasons),
  );
}

describe('lvsj upgrade', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    writeFileSync(file, config);
  });
  after(async () => {
    await lab.down();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => {
    lab.tryLvsj('stop');
    lab.clearAdmin();
  });

  test('a download and 50 connections live through it, and lvsj stop leaves no trace', async () => {
    lab.director(`${markNew}\n${snatAll}`);
    const state = namespaceState(lab.name, 'director');
    makeOther('program', other);
    lab.restore(recipeTable);
    const download = lab.download(4, 3_000_000, 600_000);
    const steady = [
      await startSteady(lab, 4, { count: 25 }),
      await startSteady(lab, 6, { count: 25 }),
    ];
    await download.started;
    assert.equal(lab.lvsj('upgrade'), done);
    assert.equal(lab.lvsj('upgrade'), nothing);
    for (const each of steady) await each.rounds(3);
    for (const family of families)
      assert.deepEqual(lab.connect(family, { count: 8 }), {
        [seen[family].isp1]: 6,
        [seen[family].isp2]: 2,
      });
    for (const each of steady) await assertLive(each, 25);
    assert.deepEqual(
      [(await download.result).bytes, (await download.result).ok],
      [3_000_000, true],
    );
    lab.assertNoStrays();
    lab.lvsj('stop');
    assert.deepEqual(diffNamespaceStates(state, namespaceState(lab.name, 'director')), []);
    const pins = readdirSync('/sys/fs/bpf').filter((pin) =>
      pin.includes(String(lab.inode('director'))),
    );
    assert.deepEqual(pins, []);
  });

  test('killed at any time leaves traffic flowing, and a second one finishes it', async () => {
    lab.lvsj(`apply ${file}`);
    const steady = await startSteady(lab, 4, { count: 50 });
    for (let ms = 100; ms < 2000; ms += 270) {
      makeOther('program', other);
      const [command = '', ...args] = inHost(lab.name, 'director', [lvsjProgram, 'upgrade']);
      const child = spawn(command, args, { stdio: 'ignore' });
      const ended = once(child, 'exit');
      // Not to wait for anything: wherever it is then.
      await delay(ms);
      child.kill('SIGKILL');
      await ended;
      assert.equal(Object.values(lab.connect(4, { count: 4 })).length, 2);
    }
    makeOther('program', other);
    assert.equal(lab.lvsj('upgrade'), done);
    await steady.rounds(2);
    await assertLive(steady, 50);
    lab.assertNoStrays();
  });

  test('comes with lvsj apply, and lvsj plan foretells it', () => {
    makeOther('program', other);
    const line = "~ director: the programs of this lvsj take the old ones' place; connections stay";
    assert.ok(changes(lab.lvsj(`plan ${file}`)).includes(line));
    assert.ok(changes(lab.lvsj(`apply ${file}`)).includes(line));
    assert.deepEqual(changes(lab.lvsj(`plan ${file}`)), []);
    assert.equal(lab.lvsj('upgrade'), nothing);
  });

  test('does not come with an lvsj apply that is refused', () => {
    makeOther('program', other);
    writeFileSync(`${folder}/refused.yaml`, `connections: 2048\n${config}`);
    assert.match(lab.tryLvsj(`apply ${folder}/refused.yaml`).stderr, /^connections 2048: /);
    assert.equal(lab.lvsj('upgrade'), done);
  });

  test('comes with lvsj run', async () => {
    lab.lvsj(`apply ${file}`);
    makeOther('program', other);
    const daemon = lab.start('director', [lvsjProgram, 'run', '--config', file]);
    await waitUntil('the daemon to answer', () => lab.tryLvsj('reload').status === 0, 15_000);
    assert.equal(lab.lvsj('upgrade'), nothing);
    daemon.kill();
    await daemon.result;
  });

  test('says where no director runs', () =>
    assert.match(
      lab.tryLvsj('upgrade').stderr,
      /^lvsj upgrade: no director runs in this network namespace\n$/,
    ));
});
