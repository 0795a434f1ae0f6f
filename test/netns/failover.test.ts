// A line dies and comes back under lvsj run, and only its own connections notice: UDP goes on by another line,
// on the same socket, and comes back; TCP is told at once; nothing else is touched. Needs root.
//
//   lan, with a server ── eth0 director eth1 ── isp1: fiber
//                                       eth10 ── isp2: lte
//                                       eth3 ── isp3: spare, which nobody uses while the others are well
//
// docs/failover-scenarios.md lists what others suffer from; here it is, with its numbers there:
//   1 UDP stays on the dead line, and then on the backup.  3 A flush kills everything.  7 A port forward is answered
//   by the wrong line.  15 A fault of a line that isn't used, or another default route, hurts others.
//   Traps: another mark mask; a link's name that begins like another's; DNAT's answers scheduled as new.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FaultSpec } from '../../src/lab/fault.ts';
import { serverProgram } from '../../src/lab/lab.ts';
import { families, seen } from './director-lab.ts';
import { type Call, FailoverLab, monitor } from './failover-lab.ts';
import { type SteadyRun, startSteady } from './steady.ts';

const lab = new FailoverLab('failover', 3);
const { daemon } = lab;
const [caller, ...others] = lab.clients(4) as [string, ...string[]];
const caller6 = lab.clients(6)[0]!;
const calm = others.slice(-4);
const calm6 = lab.clients(6).slice(-4);
const anyone = others.slice(0, 4);
const fiber = { 4: seen[4].isp1, 6: seen[6].isp1 };
const lte = { 4: seen[4].isp2, 6: seen[6].isp2 };

const config = `
mark-mask: 0x00ff0000
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 }, ${monitor} }
  lte: { link: eth10, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 }, ${monitor} }
  spare: { link: eth3, via: { ipv4: 100.64.3.1, ipv6: 2001:db8:3::1 }, ${monitor} }
services:
  calm: { fwmark: 1, gateways: { lte: 1 } }
  call: { fwmark: 2, failback: now, gateways: { fiber: 1, lte: { tier: 2 } } }
  all: { fwmark: 3, scheduler: rr, gateways: { fiber: 1, lte: 1, spare: { tier: 2 } } }
rules:
  - { from: [${[...calm, ...calm6.map((each) => `"${each}"`)].join(', ')}], service: calm }
  - { from: [${caller}, "${caller6}"], service: call }
  - { service: all }`;

/** The second link's name begins as the first's does. */
const rename = `ip link set eth2 down; ip link set eth2 name eth10; ip link set eth10 up
  ip -6 addr replace ${lte[6]}/64 dev eth10 nodad`;

/** A server on the LAN is reached by each line's public address, from the LAN too. */
const server = '10.0.0.11';
const portForwards = `table inet admin {
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip daddr { ${fiber[4]}, ${lte[4]} } tcp dport 77 dnat ip to ${server}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    iifname eth0 oifname eth0 ct status dnat masquerade
  }
}`;

/** Connections that no fault of the fiber concerns, each kind with what its server sees. */
const concernless = {
  'TCP of the healthy line': [{ from: calm }, lte[4]],
  'UDP of the healthy line': [{ from: calm, udp: true }, lte[4]],
  'IPv6 of the healthy line': [{ from: calm6 }, lte[6]],
  'of the LAN to the router': [{ to: '10.0.0.1' }, ''],
  'of the router to the LAN': [{ host: 'director', from: ['10.0.0.1'], to: server }, '10.0.0.1'],
  'of the LAN to its own server by the address of the dead line': [{ to: fiber[4] }, '10.0.0.1'],
  'from outside by the healthy line': [
    { host: 'internet', from: ['198.51.100.10'], to: lte[4] },
    '198.51.100.10',
  ],
} as const;

const count = 10;
const startAll = (): Promise<SteadyRun[]> =>
  Promise.all(
    Object.values(concernless).map(([choice]) => {
      const { from = anyone, ...rest } = choice as { from?: readonly string[] };
      const family = from[0]!.includes(':') ? 6 : 4;
      return startSteady(lab, family, {
        count,
        interval: 0.2,
        timeout: 15,
        ...rest,
        from: [...from],
      });
    }),
  );

/** conntrack's numbers of the entries whose answers do not come by the fiber. */
const unconcerned = (): string[] =>
  lab.tracked((line) => {
    const [, answersTo = ''] = / dport=7{1,2} .* dst=(\S+)/.exec(line) ?? [];
    return answersTo !== '' && !families.some((family) => answersTo === fiber[family]);
  });

describe('a line dies and comes back', { timeout: 180_000 }, () => {
  let runs: SteadyRun[] = [];
  before(async () => {
    await lab.up();
    lab.director(rename);
    lab.lab.isps[1]!.link = 'eth10';
    lab.run('director', ['nft', '-f', '-'], portForwards);
    const servers = ['lan', 'director'].map((host) => lab.start(host, [...serverProgram, '80']));
    await Promise.all(servers.map(({ started }) => started));
    await daemon.start(config);
    runs = await startAll();
  });
  after(async () => {
    for (const run of runs) run.kill();
    await lab.down();
  });

  const faults: FaultSpec[] = [{ kind: 'blackhole' }, { kind: 'carrier' }];
  for (const [index, fault] of faults.entries())
    describe(fault.kind, () => {
      let calls: Call[] = [];
      let tcp: SteadyRun;
      let mixed: SteadyRun;
      let entries: string[] = [];
      /** A socket that says a word now and then. */
      const quiet = () => lab.udpFrom(4, 9000 + index);

      before(async () => {
        calls = [await lab.startCall(4, caller), await lab.startCall(6, caller6)];
        tcp = await startSteady(lab, 4, { count: 4, interval: 0.2, timeout: 15, from: [caller] });
        mixed = await startSteady(lab, 4, { count: 8, udp: true, timeout: 15, from: anyone });
        for (const [i, family] of families.entries()) await calls[i]!.under(fiber[family]);
        assert.equal(quiet(), fiber[4]);
        entries = unconcerned();
        await lab.setFault(1, fault);
        await lab.until('fiber', 'down');
      });
      after(() => {
        for (const run of [tcp, mixed]) run.kill();
      });

      test('UDP goes on by the other line, on the same socket, whether it was ever silent or not', async () => {
        for (const [i, family] of families.entries()) await calls[i]!.under(lte[family]);
        assert.equal(quiet(), lte[4]);
      });

      test('new connections have the other line', () => {
        assert.deepEqual(lab.connect(4, { count: 4, from: [caller] }), { [lte[4]]: 4 });
        assert.deepEqual(lab.connect(4, { count: 4, from: anyone }), { [lte[4]]: 4 });
      });

      test('TCP of the dead line is reset, and does not wait for an answer', async () => {
        const { broken, reasons } = await tcp.end();
        assert.deepEqual([broken, reasons], [4, ['read ECONNRESET']]);
      });

      test('who is back has its UDP back, where that is asked, and only there', async () => {
        await lab.heal();
        await lab.until('fiber', 'up');
        for (const [i, family] of families.entries()) await calls[i]!.under(fiber[family]);
        assert.equal(quiet(), fiber[4]);
        const { lived, moved, gateways } = await mixed.end();
        assert.deepEqual(
          { lived, moved, gateways },
          { lived: 8, moved: 4, gateways: { [lte[4]]: 8 } },
        );
      });

      test('what is known of all other connections was not forgotten', () => {
        const now = new Set(unconcerned());
        assert.ok(entries.length >= count * 7);
        assert.deepEqual(
          entries.filter((entry) => !now.has(entry)),
          [],
        );
      });
    });

  test('a line whose name begins as its does was not taken for it', () => {
    assert.deepEqual(
      lab.found('lte').filter(({ to }) => to === 'down'),
      [],
    );
  });

  test('a fault of a line that nobody uses, and another default route, hurt nobody', async () => {
    const all = [
      await startSteady(lab, 4, { count: 8, from: anyone, timeout: 15 }),
      await startSteady(lab, 6, { count: 8, udp: true, from: calm6, timeout: 15 }),
    ];
    await lab.setFault(3, { kind: 'carrier' });
    await lab.until('spare', 'down');
    for (const run of all) await run.rounds(2);
    lab.director(
      'ip route replace default via 203.0.113.1; ip -6 route replace default via 2001:db8:2::1',
    );
    for (const run of all) await run.rounds(2);
    lab.director(
      'ip route replace default via 192.0.2.1; ip -6 route replace default via 2001:db8:1::1',
    );
    await lab.heal();
    await lab.until('spare', 'up');
    for (const run of all) {
      const { lived, moved } = await run.end();
      assert.deepEqual({ lived, moved }, { lived: 8, moved: 0 });
    }
  });

  for (const [index, [what, [, address]]] of Object.entries(concernless).entries())
    test(`connections ${what} lived through all of it`, async () => {
      const { lived, moved, reasons, gateways } = await runs[index]!.end();
      assert.deepEqual({ lived, moved, reasons }, { lived: count, moved: 0, reasons: [] });
      if (address !== '') assert.deepEqual(gateways, { [address]: count });
    });

  test('no packet ever took a link on which its address is a stranger', () => lab.assertNoStrays());
});
