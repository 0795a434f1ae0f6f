// What lvsj run finds of lines that are half dead, lossy, or that come and go; and that neither dead probe hosts, a
// hook that hangs, the death of its monitors nor its own keep it from that. Needs root.
//
//   lan, with a server ── eth0 director eth1 ── isp1: fiber, asked by ping, DNS and HTTP
//                                       eth2 ── isp2: lte, whose loss is measured
//                                       eth3 ── isp3: many, whose probe hosts are dead but one
//
// Numbers as in docs/failover-scenarios.md:
//   12 The gateway answers, the internet is dead; captive portals.  13 Brownouts.  14 Flaps; the first success is
//   believed.  Traps: `ip monitor` dies unnoticed; dead targets are asked one after the other; a hook blocks the watch;
//   one success = up; DNAT's answers are scheduled as new.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { startDns } from '../../src/lab/dns.ts';
import type { FaultSpec } from '../../src/lab/fault.ts';
import { serverProgram } from '../../src/lab/lab.ts';
import { internet } from '../../src/lab/topology.ts';
import { seen } from './director-lab.ts';
import { FailoverLab, pace } from './failover-lab.ts';
import { startSteady } from './steady.ts';

const lab = new FailoverLab('found', 3);
const { daemon } = lab;
const [fiber, lte, many] = [seen[4].isp1, seen[4].isp2, '100.64.3.2'];
const [host, nameServer] = internet.ipv4;
const server = lab.clients(4)[0]!;
const from = lab.clients(4).slice(4, 8);

const intervalMs = 200;
const rise = 3;
const holdMs = { first: 200, most: 1000 };
const hold = `hold: { first: ${holdMs.first}ms, most: ${holdMs.most}ms }`;
/** Beyond the internet host, which drops all that is for them. */
const dead = Array.from({ length: 20 }, (_, index) => `198.51.100.${200 + index}`);
const deadProbes = dead.map((to, index) => (index % 2 ? `{ ping: ${to} }` : `{ tcp: "${to}:80" }`));
const told = `${lab.folder}/told`;

const config = `
gateways:
  fiber:
    link: eth1
    via: 192.0.2.1
    monitor:
      probes: [{ ping: ${host} }, { dns: ${nameServer} }, { http: "http://${host}/" }]
      quorum: 3
      ${pace.replaceAll(', ', '\n      ')}
      ${hold}
  lte:
    link: eth2
    via: 203.0.113.1
    monitor: { probes: [{ ping: ${host} }], interval: ${intervalMs}ms, rise: ${rise}, fall: 30, window: 10, loss: { down: 20%, up: 5% }, ${hold} }
  many:
    link: eth3
    via: 100.64.3.1
    monitor: { probes: [${deadProbes.join(', ')}, { ping: ${host} }], interval: 500ms, rise: 1, fall: 2, ${hold} }
services:
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1, many: 1 } }
rules:
  - { service: all }
hooks:
  - { command: [/usr/bin/sleep, "600"], timeout: 1h }
  - { on: [down, up], command: [/bin/sh, -c, 'echo $LVSJ_GATEWAY $LVSJ_TO $LVSJ_INCIDENT >> ${told}'] }`;

const portForward = `table inet admin {
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip daddr ${fiber} tcp dport 77 dnat ip to ${server}
  }
}`;

const last = (name: string) => lab.found(name).at(-1)!;

/** Six new connections, shared by these lines. */
const assertShared = (...lines: string[]): void =>
  assert.deepEqual(
    lab.connect(4, { from, count: 6 }),
    Object.fromEntries(lines.map((line) => [line, 6 / lines.length])),
  );

describe('lvsj run finds', { timeout: 180_000 }, () => {
  before(async () => {
    await lab.up();
    startDns(lab.lab);
    lab.run(
      'internet',
      ['nft', '-f', '-'],
      `table ip dead {
      chain in { type filter hook prerouting priority raw; ip daddr { ${dead.join(', ')} } drop; }
    }\n`,
    );
    lab.run('director', ['nft', '-f', '-'], portForward);
    await lab.start('lan', [...serverProgram, '80']).started;
    await daemon.start(config);
  });
  afterEach(() => lab.heal());
  after(() => lab.down());

  const up = (name: string) => lab.until(name, 'up', [4]);
  const down = (name: string) => lab.until(name, 'down', [4]);

  const halves: [FaultSpec, RegExp][] = [
    [{ kind: 'portal' }, /http.*302/],
    [{ kind: 'dns' }, /dns/],
  ];
  for (const [fault, reason] of halves)
    test(`a line that is dead by ${fault.kind} alone; who came in by it is answered by it`, async (t) => {
      assertShared(fiber, lte, many);
      const options = { host: 'internet', from: [host], to: fiber, count: 4, timeout: 15 };
      const inbound = await startSteady(lab, 4, options);
      t.after(() => inbound.kill());
      await lab.setFault(1, fault);
      await down('fiber');
      assert.match(last('fiber').reason, reason);
      assertShared(lte, many);
      lab.director(`ping -c 1 -W 2 192.0.2.1`);
      await inbound.rounds(2);
      await lab.heal();
      await up('fiber');
      const { lived, moved } = await inbound.end();
      assert.deepEqual({ lived, moved }, { lived: 4, moved: 0 });
      const scheduled = lab.connections().filter((each) => each.includes(` ${server}:77 `));
      assert.deepEqual(scheduled, []);
      lab.assertNoStrays();
    });

  test('a dead network behind a router that answers, as fast as ever though 20 other probe hosts are dead', async () => {
    // The one that answers is not kept waiting for the others, round after round.
    const doubts = lab.found('many').filter(({ to }) => to === 'suspect');
    assert.ok(doubts.length < 4, doubts.map(({ reason }) => reason).join('\n'));
    await lab.setFault(3, { kind: 'blackhole' });
    // One after the other they would take 20 s.
    await daemon.until('many: down', () => lab.found('many').at(-1)?.to === 'down', 8000);
    lab.director('ping -c 1 -W 2 100.64.3.1');
    await lab.heal();
    await up('many');
  });

  test('flaps: a line has to be well for longer and longer, and one answer is not enough', async () => {
    for (let flap = 0; flap < 3; flap++) {
      await lab.setFault(2, { kind: 'carrier' });
      await down('lte');
      await lab.heal();
      await up('lte');
      const [recovering, isUp] = lab.found('lte').slice(-2);
      assert.equal(recovering?.to, 'recovering');
      const least = Math.max((rise - 1) * intervalMs, holdMs.first * 2 ** flap);
      const took = isUp!.at - recovering.at;
      // Both are written down a moment later.
      assert.ok(took > least - 50, `flap ${flap}: up after ${took} of ${least} ms`);
    }
  });

  test('loss: a line that loses a third is down, and up again once a whole window was well', async () => {
    await lab.setFault(2, { kind: 'loss', percent: 30 });
    await down('lte');
    assert.match(last('lte').reason, /^loss \d+ %/);
    assertShared(fiber, many);
    const healed = Date.now();
    await lab.heal();
    await up('lte');
    assert.ok(last('lte').at - healed > 9 * intervalMs);
  });

  /** The daemon's own monitor of links. */
  const monitorPid = (): string =>
    lab
      .tryRun('director', ['pgrep', '-P', String(daemon.pid), '-f', 'monitor'])
      .stdout.split('\n')[0]!;

  test('what happens while its `ip monitor` is dead, and has another one', async () => {
    const pid = monitorPid();
    assert.notEqual(pid, '');
    process.kill(Number(pid), 'SIGKILL');
    await lab.setFault(2, { kind: 'carrier' });
    await down('lte');
    assert.equal(last('lte').reason, 'link eth2 has no carrier');
    assertShared(fiber, many);
    await lab.heal();
    await up('lte');
    assert.ok(!['', pid].includes(monitorPid()));
  });

  test('a line again whose carrier was gone for less than the daemon takes to look', async () => {
    const falls = (): number => lab.found('lte').filter(({ to }) => to === 'down').length;
    for (let flap = 0; flap < 4; flap++) {
      const before = falls();
      lab.run('isp2', ['ip', '-batch', '-'], 'link set eth0 down\nlink set eth0 up\n');
      await daemon.until('a fall', () => falls() > before);
      await up('lte');
    }
  });

  test('all of it while a hook hangs; the other one hears of each fall and rise, with its number', async () => {
    const events = () => lab.found('fiber').filter(({ to }) => to === 'down' || to === 'up');
    const want = events().map(({ to, incident }) => `fiber ${to} ${incident}`);
    const heard = () =>
      readFileSync(told, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('fiber'));
    await daemon.until('the hook', () => heard().length >= want.length);
    assert.deepEqual(heard(), want);
  });

  test('the end of what began before it was killed: the line stays down meanwhile', async () => {
    await lab.setFault(1, { kind: 'blackhole' });
    await down('fiber');
    const { incident } = last('fiber');
    await daemon.end('SIGKILL');
    assertShared(lte, many);
    await daemon.start(config);
    assertShared(lte, many);
    await lab.heal();
    await up('fiber');
    assert.equal(last('fiber').incident, incident);
  });
});
