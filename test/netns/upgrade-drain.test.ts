// lvsj upgrade --drain: a director of another ABI makes room for this lvsj's. Needs root.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, before, describe, test } from 'node:test';
import { abi } from '../../src/kernel/abi.gen.ts';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import type { GatewayState } from '../../src/model/state.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { DirectorLab, lvsjProgram, recipeTable } from './director-lab.ts';
import { startSteady } from './steady.ts';

const lab = new DirectorLab('drain');
const folder = mkdtempSync(`${tmpdir()}/lvsj-drain-`);
const file = `${folder}/lvsj.yaml`;

const lte = '  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: "2001:db8:2::1" } }';
const fiber = '  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }';

const configOf = (gateways: string[]) => `
gateways:
${gateways.join('\n')}
services:
  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: 1, lte: 1 } }
rules:
  - { name: lan, from: [10.0.0.0/24, "2001:db8:10::/64"], service: web }
`;

/** The director says that it speaks that ABI. */
const speak = (number: number): void => {
  const script = `${import.meta.dirname}/other-director.ts`;
  lab.run('director', [process.execPath, script, 'abi', String(number)]);
};

const ids = (): [string, number][] =>
  (JSON.parse(lab.lvsj('gateway --json')) as GatewayState[])
    .filter(({ family }) => family === 4)
    .map(({ name, id }) => [name, id]);

describe('lvsj upgrade --drain', { timeout: 120_000 }, () => {
  before(() => lab.up());
  after(async () => {
    await lab.down();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => {
    speak(abi.ABI_VERSION);
    lab.tryLvsj('stop');
  });

  test('is what lvsj upgrade, apply and status ask for where the ABI is another', () => {
    writeFileSync(file, configOf([fiber, lte]));
    lab.lvsj(`apply ${file}`);
    speak(99);
    for (const words of ['upgrade', `apply ${file}`, 'status'])
      assert.match(
        lab.tryLvsj(words).stderr,
        /^the director that runs here speaks ABI 99, this lvsj \d+: lvsj upgrade --drain SECONDS replaces it, or use the lvsj that started it\n$/,
      );
    assert.match(lab.lvsj('upgrade --drain 20'), /^replaced: .* had left: 0\n$/);
    assert.equal(lab.lvsj('status').includes('99'), false);
  });

  test('leaves connections on their gateways, which keep ids and what admins told them', async () => {
    // An edit, then another order: a fresh start would give them other ids.
    writeFileSync(file, configOf([lte, fiber]));
    lab.lvsj(`apply ${file}`);
    writeFileSync(file, configOf([fiber, lte]));
    lab.lvsj(`apply ${file}`);
    const before = ids();
    const steady = await startSteady(lab, 4, { count: 20, timeout: 8 });
    lab.lvsj('gateway fiber drain');
    speak(99);
    const { status, stdout } = lab.tryLvsj('upgrade --drain 1');
    assert.equal(status, 0);
    assert.match(stdout, /^replaced: .* had left: 20\n$/);
    assert.deepEqual(ids(), before);
    const [state] = JSON.parse(lab.lvsj('gateway fiber --json')) as GatewayState[];
    assert.equal(state?.admin, 'drained');
    await steady.rounds(3);
    const { lived, broken, moved, reasons, gateways } = await steady.end();
    assert.deepEqual({ lived, broken, moved }, { lived: 20, broken: 0, moved: 0 }, String(reasons));
    assert.equal(Object.keys(gateways).length, 2);
  });

  test('leaves no trace after lvsj stop', () => {
    const before = namespaceState(lab.name, 'director');
    lab.lvsj(`apply ${file}`);
    speak(99);
    lab.lvsj('upgrade --drain 0');
    lab.lvsj('stop');
    assert.deepEqual(diffNamespaceStates(before, namespaceState(lab.name, 'director')), []);
  });

  test('is refused where the new one would have no configuration, and changes nothing', () => {
    lab.restore(recipeTable);
    speak(99);
    assert.match(lab.tryLvsj('upgrade --drain 0').stderr, /no configuration is applied/);
    speak(abi.ABI_VERSION);
    assert.match(lab.lvsj('ipvsadm -Ln'), /192\.0\.2\.1/);
  });

  test('is refused where the file is wrong by now, and changes nothing', () => {
    lab.lvsj(`apply ${file}`);
    speak(99);
    writeFileSync(file, 'gateways: 1\n');
    const { status, stderr } = lab.tryLvsj('upgrade --drain 0');
    assert.ok(status !== 0 && stderr.startsWith(file), stderr);
    assert.match(lab.tryLvsj('status').stderr, /ABI 99/);
  });

  test('is not needed where the ABI is the same', () => {
    writeFileSync(file, configOf([fiber, lte]));
    lab.lvsj(`apply ${file}`);
    assert.match(lab.lvsj('upgrade --drain 60'), /^nothing to do/);
  });

  test('is refused beside a daemon', async () => {
    const daemon = lab.start('director', [lvsjProgram, 'run', '--config', file]);
    await waitUntil('the daemon to answer', () => lab.tryLvsj('reload').status === 0, 15_000);
    speak(99);
    assert.match(lab.tryLvsj('upgrade --drain 0').stderr, /the daemon \(process \d+\) would start/);
    daemon.kill();
    await daemon.result;
  });
});
