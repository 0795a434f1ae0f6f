// A metered backup, persistent clients and the last resort under lvsj run: who comes back and who stays when a line
// is back; each client on one line at a time; and nothing goes where nobody wants it. Needs root.
//
//   lan ── eth0 director eth1 ── isp1: fiber
//                        eth2 ── isp2: cable
//                        eth3 ── isp3: lte, metered
//
// Numbers as in docs/failover-scenarios.md:
//   2 No failback, the metered backup keeps burning.  4 Sites log out a client whose address changes.
//   5 Stickiness is too coarse, or broken by failover, or ignores weights.
//   Traps: the template of a dead line attracts its client; keepalives pin "no line" for ever.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Counts } from '../../src/lab/client-connect.ts';
import { clockMs } from '../../src/lab/clock.ts';
import { internet } from '../../src/lab/topology.ts';
import { seen, urlHost } from './director-lab.ts';
import { type Call, FailoverLab, monitor } from './failover-lab.ts';
import { startSteady } from './steady.ts';

const lab = new FailoverLab('backup', 3);
const { daemon } = lab;
const [fiber, cable, lte] = [seen[4].isp1, seen[4].isp2, '100.64.3.2'];
const all = lab.clients(4);
const [now = '', drain = '', stay = '', fresh = '', ...others] = all;
const [passed = '', refused = '', dropped = ''] = others;
const passed6 = lab.clients(6)[4]!;
const [web, later, sites] = [all.slice(8, 16), all.slice(16, 24), all.slice(24)];

const three = 'gateways: { fiber: 1, cable: 1, lte: 1 }';
const tiers = 'gateways: { fiber: 1, lte: { tier: 2 } }';
const persistent = 'scheduler: rr, persistent: 300';
const config = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 }, ${monitor} }
  cable: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 }, ${monitor} }
  lte: { link: eth3, via: { ipv4: 100.64.3.1, ipv6: 2001:db8:3::1 }, ${monitor} }
services:
  now: { fwmark: 1, failback: now, ${tiers} }
  drain: { fwmark: 2, failback: { drain: 2s }, ${tiers} }
  stay: { fwmark: 3, failback: stay, ${persistent}, ${tiers} }
  new: { fwmark: 4, failback: new, ${persistent}, ${tiers} }
  web: { fwmark: 5, scheduler: wrr, persistent: 300, gateways: { fiber: 2, cable: 1, lte: 1 } }
  sites: { fwmark: 6, scheduler: rr, persistent: { timeout: 300, key: source-destination }, ${three} }
  passed: { fwmark: 7, scheduler: rr, ${three} }
  refused: { fwmark: 8, scheduler: rr, last-resort: unreachable, ${three} }
  dropped: { fwmark: 9, scheduler: rr, last-resort: drop, ${three} }
rules:
  - { from: ${now}, service: now }
  - { from: ${drain}, service: drain }
  - { from: ${stay}, service: stay }
  - { from: ${fresh}, service: new }
  - { from: ${refused}, service: refused }
  - { from: ${dropped}, service: dropped }
  - { from: [${passed}, "${passed6}"], service: passed }
  - { from: [${sites.join(', ')}], service: sites }
  - { service: web }`;

/** The only address that each was seen as. */
function lineOf(found: Record<string, Counts>): Record<string, string> {
  const lines = Object.entries(found).map(([client, counts]) => {
    assert.equal(Object.keys(counts).length, 1, `${client}: ${JSON.stringify(counts)}`);
    return [client, Object.keys(counts)[0]!];
  });
  return Object.fromEntries(lines);
}

function shares(lines: Record<string, string>): Counts {
  const counts: Counts = {};
  for (const line of Object.values(lines)) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

/** Three connections of each client. */
const linesOf = (clients: string[], to?: string) =>
  lineOf(lab.byClient(clients, clients.length * 3, to));

/** Of each client to each of two servers: `client server`. */
const sitesSeen = (): Record<string, string> =>
  Object.fromEntries(
    internet.ipv4.flatMap((server) =>
      Object.entries(linesOf(sites, server)).map(([client, line]) => [`${client} ${server}`, line]),
    ),
  );

/** Those on the fiber are on another line, the other ones are where they were. */
function assertMoved(before: Record<string, string>, after: Record<string, string>): void {
  for (const [who, line] of Object.entries(after))
    if (before[who] === fiber) assert.notEqual(line, fiber, who);
    else assert.equal(line, before[who], who);
}

describe('lines of several tiers, and persistent clients', { timeout: 180_000 }, () => {
  before(async () => {
    await lab.up();
    for (const { host } of lab.lab.isps) lab.run(host, ['nft', '-f', '-'], countTable);
    await daemon.start(config);
  });
  after(() => lab.down());

  let before4: Record<string, string>;
  let during4: Record<string, string>;
  let sitesBefore: Record<string, string>;
  let sitesDuring: Record<string, string>;
  let silent: string;

  test('each client has one line, each line its weight; by source and destination, one for each site', () => {
    before4 = linesOf(web);
    assert.deepEqual(shares(before4), { [fiber]: 4, [cable]: 2, [lte]: 2 });
    sitesBefore = sitesSeen();
    const split = sites.filter((client) => {
      const lines = internet.ipv4.map((server) => sitesBefore[`${client} ${server}`]);
      return new Set(lines).size > 1;
    });
    assert.ok(split.length > 0, 'no client has its sites on different lines');
  });

  test('a client of the dead line is moved as a whole, to one other line; who is elsewhere stays', async () => {
    silent = web.find((client) => before4[client] === fiber)!;
    await lab.setFault(1, { kind: 'blackhole' });
    await lab.until('fiber', 'down');
    during4 = linesOf(web.filter((client) => client !== silent));
    assertMoved(before4, during4);
    sitesDuring = sitesSeen();
    assertMoved(sitesBefore, sitesDuring);
    for (const [client, line] of Object.entries(during4).slice(0, 2))
      assert.deepEqual(lab.udp(4, { from: [client], count: 3, sockets: 3 }), { [line]: 3 });
  });

  test('the metered line is left as each service says, once the first is back', async (t) => {
    const calls = { now: await lab.startCall(4, now), drain: await lab.startCall(4, drain) };
    const tcp = async (...from: string[]) =>
      startSteady(lab, 4, { count: 4, interval: 0.2, timeout: 15, from });
    const [nowTcp, drainTcp, otherTcp] = [await tcp(now), await tcp(drain), await tcp(stay, fresh)];
    const udp = await startSteady(lab, 4, {
      count: 4,
      udp: true,
      timeout: 15,
      from: [stay, fresh],
    });
    t.after(() => {
      for (const run of [nowTcp, drainTcp, otherTcp, udp]) run.kill();
    });
    for (const call of Object.values(calls)) await call.under(lte);
    await lab.heal();
    await lab.until('fiber', 'up');

    await calls.now.under(fiber);
    await calls.drain.under(fiber);
    const offset = Date.now() - clockMs();
    const upAt = lab.found('fiber').findLast(({ to, family }) => to === 'up' && family === 4)!.at;
    const left = calls.drain.answers.findLast(({ seen: line }) => line === lte)!.at + offset;
    // Counted in whole seconds.
    assert.ok(left - upAt > 900, `drained after ${left - upAt} ms`);
    for (const run of [nowTcp, drainTcp]) {
      const { broken, reasons } = await run.end();
      assert.deepEqual([broken, reasons], [4, ['read ECONNRESET']]);
    }
    for (const run of [otherTcp, udp]) {
      const { lived, moved, gateways } = await run.end();
      assert.deepEqual({ lived, moved, gateways }, { lived: 4, moved: 0, gateways: { [lte]: 4 } });
    }
    const next = { [now]: fiber, [drain]: fiber, [stay]: lte, [fresh]: fiber };
    assert.deepEqual(linesOf(Object.keys(next)), next);
  });

  test('persistent clients stay together where they went, and new ones come by weight', () => {
    assert.deepEqual(linesOf(Object.keys(during4)), during4);
    assert.deepEqual(sitesSeen(), sitesDuring);
    assert.equal(Object.keys(linesOf([silent])).length, 1);
    assert.deepEqual(shares(linesOf(later)), { [fiber]: 4, [cable]: 2, [lte]: 2 });
  });

  describe('with every line dead', () => {
    const streams: Record<string, Call> = {};
    const lastResort = (client: string) =>
      lab.connect(4, { from: [client], count: 2, timeout: 1, to: `${urlHost[4]}:8080` });
    before(async () => {
      for (const isp of [1, 2, 3]) await lab.setFault(isp, { kind: 'blackhole' });
      for (const name of ['fiber', 'cable', 'lte']) await lab.until(name, 'down');
      for (const client of [passed, refused, dropped, passed6])
        streams[client] = await lab.startCall(client.includes(':') ? 6 : 4, client);
    });

    test('who asks for it is refused at once, or gets nothing, and nothing goes out by any line', () => {
      assert.match(Object.keys(lastResort(refused)).join(), /ECONNREFUSED/);
      assert.match(Object.keys(lastResort(dropped)).join(), /timeout/);
      assert.deepEqual(sentOut(), [0, 0, 0]);
    });

    test('the main table has the others', () => {
      lastResort(passed);
      const [first = 0, ...rest] = sentOut();
      assert.ok(first > 0);
      assert.deepEqual(rest, [0, 0]);
    });

    test('a stream that began meanwhile, and never was silent, has the first line that is back', async () => {
      await lab.heal(2);
      await lab.until('cable', 'up');
      for (const [client, stream] of Object.entries(streams))
        await stream.under(client.includes(':') ? seen[6].isp2 : cable);
    });
  });
});

const countTable = `table inet out {
  counter asked { }
  chain prerouting {
    type filter hook prerouting priority raw
    iifname eth0 tcp dport 8080 counter name asked
  }
}`;

/** Packets that came to each ISP for the port that is asked with no line. */
const sentOut = (): number[] =>
  lab.lab.isps.map(({ host }) => {
    const listing = lab.run(host, ['nft', 'list', 'counters', 'table', 'inet', 'out']);
    return Number(/packets (\d+)/.exec(listing)?.[1]);
  });
