// What packets tell of a gateway's health: each counter, by the packets that move it, and by those that must not.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { readEvidence } from '../../src/kernel/evidence.ts';
import { interfaceIndex } from '../../src/kernel/libbpf.ts';
import { Program } from '../../src/kernel/program.ts';
import { readGatewayStates } from '../../src/kernel/read-state.ts';
import { tcQuery } from '../../src/kernel/tc.ts';
import type { EvidenceReading } from '../../src/model/evidence.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, type FlowOptions } from './flow.ts';
import { type Packet, packet } from './packet.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const ids = (family: 4 | 6): number[] =>
  [1, 2].map((number) => {
    const address = gatewayAddress(number, family);
    return readGatewayStates(bed.director, undefined).find((each) => each.address === address)!.id;
  });
const read = (family: 4 | 6): EvidenceReading[] => {
  const all = ids(family);
  const found = readEvidence(bed.director, all);
  return all.map((id) => found.get(id)!);
};

const names = [
  ...(['syns', 'synRepeats', 'synAnswers', 'asks', 'askAnswers', 'unreachables'] as const),
];
const timesOf = ({ delays }: EvidenceReading): number => delays.reduce((sum, each) => sum + each);

/** What `packets` moved of gateway 1's counters, in words: `syns 1, times 1`; gateway 2's may not move. */
function moved(family: 4 | 6, packets: () => void): string {
  const before = read(family);
  packets();
  const [first, second] = read(family).map((now, i) => {
    const changes = names.map((name) => [name, now[name] - before[i]![name]] as const);
    const all = [...changes, ['times', timesOf(now) - timesOf(before[i]!)] as const];
    return all.flatMap(([name, by]) => (by === 0 ? [] : [`${name} ${by}`])).join(', ');
  });
  assert.equal(second, '');
  return first!;
}

const up = (flow: Flow, flags?: string): void => void bed.run('director', flow.up(flags), 1);
const inward = (flow: Flow, flags?: string): void => void bed.run('ingress', flow.up(flags));
const down = (flow: Flow, flags?: string): void => void bed.run('egress', flow.down(flags));

function spend(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

for (const client of [client4, client6]) {
  const family = client === client6 ? 6 : 4;
  const flowOf = (options: FlowOptions = {}): Flow => {
    bed.setService({ family, gateways: [[1]] });
    return new Flow({ client, ...options });
  };
  /** A connection that is there already. */
  const open = (options: FlowOptions = {}): Flow => {
    const flow = flowOf(options);
    up(flow);
    return flow;
  };

  describe(`of TCP, IPv${family}`, () => {
    test('a SYN is counted once, and each time that it comes again unanswered', () => {
      const flow = flowOf();
      assert.equal(
        moved(family, () => up(flow)),
        'syns 1',
      );
      assert.equal(
        moved(family, () => inward(flow)),
        'synRepeats 1',
      );
      assert.equal(
        moved(family, () => inward(flow)),
        'synRepeats 1',
      );
      // Whichever of them it is for.
      assert.equal(
        moved(family, () => down(flow, 'SA')),
        'synAnswers 1',
      );
      assert.equal(
        moved(family, () => inward(flow)),
        '',
      );
    });

    test('an answer has its time in the histogram', () => {
      const flow = open();
      const start = performance.now();
      spend(3);
      const [before] = read(family);
      assert.equal(
        moved(family, () => down(flow, 'SA')),
        'synAnswers 1, times 1',
      );
      const mostUs = (performance.now() - start) * 1000 + 500;
      const [now] = read(family);
      const us = now!.delaysUs - before!.delaysUs;
      assert.ok(us >= 3000 && us <= mostUs, `${us} of ${mostUs} us`);
      const place = now!.delays.findIndex((count, i) => count !== before!.delays[i]);
      assert.equal(place, Math.floor(Math.log2(us)));
    });

    test('a refusal is an answer', () => {
      const flow = open();
      assert.equal(
        moved(family, () => down(flow, 'RA')),
        'synAnswers 1',
      );
    });

    test('a second answer, and all packets behind it, tell nothing', () => {
      const flow = open();
      down(flow, 'SA');
      const packets = () => {
        inward(flow, 'A');
        down(flow, 'A');
        inward(flow, 'FA');
        down(flow, 'FA');
      };
      assert.equal(moved(family, packets), '');
    });

    test('what begins in the middle has asked nobody', () => {
      const flow = flowOf();
      bed.setSettings({ sloppyTcp: 1 });
      const packets = () => {
        up(flow, 'A');
        down(flow, 'A');
      };
      assert.equal(moved(family, packets), '');
    });
  });

  describe(`of other protocols, IPv${family}`, () => {
    for (const protocol of ['udp', 'sctp', 'icmp', 'gre'] as const)
      test(`a first packet and its first answer are counted: ${protocol}`, () => {
        const flow = flowOf({ protocol });
        assert.equal(
          moved(family, () => up(flow)),
          'asks 1',
        );
        assert.equal(
          moved(family, () => inward(flow)),
          '',
        );
        assert.equal(
          moved(family, () => down(flow)),
          'askAnswers 1',
        );
        assert.equal(
          moved(family, () => down(flow)),
          '',
        );
      });

    test('a service of single packets asks for no answer', () => {
      bed.setService({ family, gateways: [[1]], onePacket: true });
      const flow = new Flow({ client, protocol: 'udp' });
      const packets = () => {
        up(flow);
        down(flow);
      };
      assert.equal(moved(family, packets), '');
    });
  });

  describe(`of ICMP errors, IPv${family}`, () => {
    const router = gatewayAddress(1, family);
    const [type, codes] = family === 4 ? [3, [0, 1, 6, 7, 11, 12]] : [1, [0, 3, 5, 6]];
    const errorOf = (kind: number, code: number): Packet => {
      const ip = packet().ip({ src: router, dst: client });
      return family === 4 ? ip.icmp({ type: kind, code }) : ip.icmpv6({ type: kind, code });
    };
    const ipBytes = family === 4 ? 20 : 40;
    /** As much as an error must show: eight bytes behind the IP header. */
    const short = (flow: Flow): Buffer => flow.up().bytes.subarray(14, 14 + ipBytes + 8);
    const toLan = (error: Packet) => (): void => {
      assert.equal(bed.run('egress', error).verdict, 'ICMP_ERROR');
    };

    test('those are counted that say that there is no way', () => {
      const flow = open();
      const counted = Array.from({ length: 16 }, (_, code) => code).filter(
        (code) => moved(family, toLan(errorOf(type, code).payload(short(flow)))) !== '',
      );
      assert.deepEqual(counted, codes);
    });

    test('those of another type are not', () => {
      const flow = open();
      const [tooBig, expired] = family === 4 ? [4, 11] : [2, 3];
      for (const kind of [tooBig, expired])
        assert.equal(moved(family, toLan(errorOf(kind, 0).payload(short(flow)))), '');
    });

    for (const protocol of ['tcp', 'udp', 'sctp', 'icmp', 'gre'] as const)
      test(`they are about a connection of ${protocol}`, () => {
        const flow = open({ protocol });
        const error = errorOf(type, 0).payload(short(flow));
        assert.equal(moved(family, toLan(error)), 'unreachables 1');
      });

    test('those about somebody else are not, nor what is cut short', () => {
      const flow = open();
      const other = new Flow({ client, port: flow.port + 1 });
      assert.equal(moved(family, toLan(errorOf(type, 0).payload(short(other)))), '');
      for (const bytes of [0, 8, ipBytes, ipBytes + 2])
        assert.equal(
          moved(family, toLan(errorOf(type, 0).payload(short(flow).subarray(0, bytes)))),
          '',
        );
    });
  });

  test(`of the router's own TCP the first acknowledgement is the answer, IPv${family}`, (t) => {
    const router = Program.byId(tcQuery(interfaceIndex('lvsj0p'), 'ingress') as number);
    t.after(() => router.close());
    const flow = open();
    assert.equal(
      moved(family, () => router.run(flow.up().bytes)),
      'synRepeats 1',
    );
    assert.equal(
      moved(family, () => router.run(flow.up('A').bytes)),
      'synAnswers 1',
    );
  });
}
