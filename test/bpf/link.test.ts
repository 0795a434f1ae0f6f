// What only real links show: packets without a link header, of VLANs, and on their way through the stack.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { zeroCounters } from '../../src/kernel/write-table.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { type Hook, hooks, openBed, type Verdict } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, server4 } from './flow.ts';
import { mac, packet } from './packet.ts';
import { lacksTun, Tun } from './tun.ts';

const bed = openBed();
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
    zeroCounters(bed.director);
  }
});

const counted = (hook: Hook, verdict: Verdict): bigint =>
  bed.director.maps.verdicts()[hooks.indexOf(hook)]![abi.verdict[`VERDICT_${verdict}`]]!;

/** Does something and waits until it is counted. */
async function counts(hook: Hook, verdict: Verdict, work: () => void): Promise<void> {
  const before = counted(hook, verdict);
  work();
  await waitUntil(`${verdict} at ${hook}`, () => counted(hook, verdict) > before);
}

describe('a link without a link header', { skip: lacksTun() }, () => {
  let tun: Tun;
  before(() => {
    tun = new Tun('tun0');
    run(['ip', 'route', 'add', '10.0.0.0/24', 'dev', 'tun0']);
    run(['ip', '-6', 'route', 'add', 'fd00::/64', 'dev', 'tun0']);
    // With a gateway that is new the director looks for new links too.
    bed.setService({ fwmark: 9, gateways: [[102]] });
  });

  for (const client of [client4, client6]) {
    test(`has its connections known and counted: ${client}`, async () => {
      const flow = new Flow({ client });
      bed.direct(flow.up());
      const request = flow.up('A').payload(50);
      const reply = flow.down('SA').payload(70);
      // A reply that comes in on the uplink is routed to the LAN.
      const arrived = packet({ to: wan1Mac() }).ip({ src: flow.server, dst: client });
      const ports = { sport: flow.serverPort, dport: flow.port };
      await counts('ingress', 'KNOWN', () => tun.receive(request));
      await counts('egress', 'KNOWN', () =>
        bed.send('wan1p', arrived.tcp({ ...ports, flags: 'SA' }).payload(70)),
      );
      const { totals } = bed.service(1, flow.family);
      assert.deepEqual(
        [totals.inPackets, totals.inBytes, totals.outPackets, totals.outBytes],
        [2n, BigInt(flow.up().ipLength + request.ipLength), 1n, BigInt(reply.ipLength)],
      );
    });
  }

  const wan1Mac = (): string =>
    (JSON.parse(run(['ip', '-json', 'link', 'show', 'wan1'])) as { address: string }[])[0]!.address;
});

describe('a VLAN', () => {
  test('has its packets counted by its own link alone, both ways', () => {
    const flow = new Flow();
    bed.direct(flow.up());
    const ports = { sport: flow.port, dport: flow.serverPort };
    const up = packet({ to: mac.lan }).vlan(5).ip({ src: client4, dst: server4 });
    const down = packet().vlan(5).ip({ src: server4, dst: client4 });
    bed.wire('ingress', up.tcp({ ...ports, flags: 'A' }));
    bed.wire('egress', down.tcp({ sport: ports.dport, dport: ports.sport, flags: 'SA' }));
    const { inPackets, outPackets } = bed.service().totals;
    assert.deepEqual([inPackets, outPackets], [1n, 0n]);
    assert.equal(bed.stateOf(flow), 'SYN_RECV');
  });
});

describe('a packet that comes to the director although ingress knew it', () => {
  // Whose rules mark every packet, and who takes conntrack away, overwrites the gateway bits.
  const admin = `table inet admin {
    chain raw { type filter hook prerouting priority raw; iifname lan0 notrack; }
    chain mangle { type filter hook prerouting priority mangle; iifname lan0 meta mark set 1; }
  }`;
  before(() => run(['nft', '-f', '-'], { input: admin }));
  after(() => run(['nft', 'delete', 'table', 'inet', 'admin']));

  test('is counted once', async () => {
    const flow = new Flow();
    const ports = { sport: flow.port, dport: flow.serverPort };
    const up = packet({ to: mac.lan }).ip({ src: client4, dst: server4 });
    await counts('director', 'NEW', () => bed.wire('ingress', up.tcp({ ...ports, flags: 'S' })));
    await counts('director', 'KNOWN', () => bed.wire('ingress', up.tcp({ ...ports, flags: 'A' })));
    const { connections, inPackets } = bed.service().totals;
    assert.deepEqual([connections, inPackets], [1n, 2n]);
    assert.equal(bed.stateOf(flow), 'ESTABLISHED');
  });
});
