// How connections end: by their timeout, found by a packet or by the kernel's own timer.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { timersArePinned, unpinTimers } from '../../src/kernel/pin.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client6, Flow, type FlowProtocol, flows } from './flow.ts';

const bed = openBed();
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1], [2]] });
bed.setService({ fwmark: 2, persistence: 1, netmask: '255.255.255.0', gateways: [[1], [2]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const states = abi.connState;
type Timeouts = Pick<abi.Settings, 'timeoutS' | 'icmpTimeoutS' | 'otherTimeoutS'>;

const everything = (seconds: number): Timeouts => ({
  timeoutS: Array<number>(states.CONN_STATES).fill(seconds),
  icmpTimeoutS: seconds,
  otherTimeoutS: seconds,
});
const ofState =
  (state: number) =>
  (seconds: number): Partial<Timeouts> => ({
    timeoutS: everything(60).timeoutS.map((other, number) => (number === state ? seconds : other)),
  });

/** A connection brought into each state that a packet can bring it to, and its timeout. */
const kinds: {
  name: string;
  packets: string;
  protocol?: FlowProtocol;
  timeout: (seconds: number) => Partial<Timeouts>;
}[] = [
  { name: 'SYN_RECV', packets: 'iS', timeout: ofState(states.CONN_SYN_RECV) },
  { name: 'ESTABLISHED', packets: 'iS iA', timeout: ofState(states.CONN_ESTABLISHED) },
  { name: 'SYN_SENT', packets: 'iS iA iF oS', timeout: ofState(states.CONN_SYN_SENT) },
  { name: 'FIN_WAIT', packets: 'iS iA iF', timeout: ofState(states.CONN_FIN_WAIT) },
  { name: 'TIME_WAIT', packets: 'iS iF', timeout: ofState(states.CONN_TIME_WAIT) },
  { name: 'CLOSE', packets: 'iS oRA', timeout: ofState(states.CONN_CLOSE) },
  { name: 'CLOSE_WAIT', packets: 'iS oSA iA iF', timeout: ofState(states.CONN_CLOSE_WAIT) },
  { name: 'asked UDP', packets: 'i', protocol: 'udp', timeout: ofState(states.CONN_ASKED) },
  { name: 'answered UDP', packets: 'i o', protocol: 'udp', timeout: ofState(states.CONN_ANSWERED) },
  {
    name: 'SCTP INIT1',
    packets: 'iINIT',
    protocol: 'sctp',
    timeout: ofState(states.CONN_SCTP_INIT1),
  },
  {
    name: 'SCTP ESTABLISHED',
    packets: 'iINIT oINIT-ACK iCOOKIE-ECHO oCOOKIE-ACK',
    protocol: 'sctp',
    timeout: ofState(states.CONN_SCTP_ESTABLISHED),
  },
  {
    name: 'SCTP CLOSED',
    packets: 'iINIT iABORT',
    protocol: 'sctp',
    timeout: ofState(states.CONN_SCTP_CLOSED),
  },
  { name: 'asked ICMP', packets: 'i', protocol: 'icmp', timeout: (s) => ({ icmpTimeoutS: s }) },
  {
    name: 'answered ICMP',
    packets: 'i o',
    protocol: 'icmp',
    timeout: (s) => ({ icmpTimeoutS: s }),
  },
  { name: 'answered GRE', packets: 'i o', protocol: 'gre', timeout: (s) => ({ otherTimeoutS: s }) },
];

function begin(number: number, packets: string, protocol: FlowProtocol = 'tcp'): Flow {
  const flow = new Flow({ client: `10.0.0.${10 + number}`, protocol });
  for (const step of packets.split(' ')) {
    if (step.startsWith('o')) bed.run('egress', flow.down(step.slice(1)));
    else bed.run('director', flow.up(step.slice(1)), 1);
  }
  return flow;
}

/** As if all packets so far had come that much earlier. */
const age = (seconds: number): void =>
  bed.changeConnections((_, conn) => ({
    ...conn,
    seenNs: conn.seenNs - BigInt(seconds) * 1_000_000_000n,
  }));

describe('a packet finds its connection expired', () => {
  for (const { name, timeout } of kinds) {
    test(`by the timeout of ${name} and no other`, () => {
      bed.setSettings(everything(60));
      const all = kinds.map(({ packets, protocol }, i) => begin(i, packets, protocol));
      bed.setSettings(timeout(5));
      age(5);
      // The timer may come first; of those that are left each is asked for.
      for (const [i, flow] of all.entries()) {
        const same = JSON.stringify(kinds[i]!.timeout(5)) === JSON.stringify(timeout(5));
        const { verdict } = bed.run('egress', flow.down());
        assert.equal(verdict, same ? 'UNKNOWN' : 'KNOWN', kinds[i]!.name);
      }
    });
  }

  test('at its timeout and not before', () => {
    const flow = new Flow();
    bed.setSettings(everything(8));
    bed.direct(flow.up());
    age(5);
    assert.equal(bed.run('egress', flow.down()).verdict, 'KNOWN');
    age(8);
    assert.equal(bed.run('egress', flow.down()).verdict, 'UNKNOWN');
  });

  test('and begins another one with it', () => {
    const flow = new Flow({ protocol: 'udp' });
    const gateway = bed.direct(flow.up());
    bed.run('egress', flow.down());
    assert.match(bed.counts(), /1\/0/);
    bed.setSettings(everything(5));
    age(6);
    assert.equal(bed.run('ingress', flow.up()).verdict, 'UNKNOWN');
    assert.notEqual(bed.direct(flow.up()), gateway);
    assert.match(bed.counts(), /0\/1/);
    assert.equal(bed.connections.length, 1);
  });
});

describe('in a table that is more than half full, after ten seconds,', () => {
  /** Each kind is there after so long a silence, with so much room in the table. */
  function survivors(connectionLimit: number): string[] {
    bed.setSettings({ ...everything(60), connectionLimit });
    const all = kinds.map(({ packets, protocol }, i) => begin(i, packets, protocol));
    age(10);
    const alive = all.map((flow) => bed.run('egress', flow.down('A')).verdict === 'KNOWN');
    return kinds.filter((_, i) => alive[i]).map(({ name }) => name);
  }
  const names = kinds.map(({ name }) => name);

  test('what was never answered is gone', () => {
    const crowding = ['SYN_RECV', 'asked UDP', 'asked ICMP'];
    // Each that goes makes room: the last ones stay in a table that is just too full.
    assert.deepEqual(
      survivors(kinds.length),
      names.filter((name) => !crowding.includes(name)),
    );
  });

  test('and nothing where there is room', () => {
    assert.deepEqual(survivors(kinds.length * 2), names);
  });
});

describe('the time of a connection', () => {
  test('is that of the clock which nobody sets', () => {
    const msOf = (ns: bigint): number => Number(ns / 1_000_000n);
    const before = process.hrtime.bigint();
    bed.direct(new Flow().up());
    const later = process.hrtime.bigint();
    const { seenNs } = bed.connections[0]![1];
    // The programs read it as coarse as the kernel's ticks, which may come late.
    assert.ok(msOf(before - seenNs) <= 1000, `${msOf(before - seenNs)} ms before`);
    assert.ok(seenNs <= later, `${msOf(seenNs - later)} ms after`);
    // By the wall clock it would be decades older.
    assert.ok(msOf(seenNs) < Date.now() / 2);
  });
});

describe('the listing', () => {
  test('says how long a connection has without packets', () => {
    bed.setSettings({ ...everything(60), ...ofState(states.CONN_SYN_RECV)(33) });
    begin(0, 'iS');
    begin(1, 'iS iA');
    const expires = [...readConnections(bed.director)].map((one) => one.expires).sort();
    assert.ok(expires[0] === 33 || expires[0] === 32, `${expires}`);
    assert.ok(expires[1] === 60 || expires[1] === 59, `${expires}`);
  });
});

const entries = (): number => bed.director.maps.tableCounts.get(0)!.entries;
/** Timeout, walks of the timer and a busy machine. */
const deadlineMs = 15_000;
const allGone = (): Promise<void> => waitUntil('an empty table', () => entries() === 0, deadlineMs);

describe('with no packet the timer', () => {
  test('ends connections of every kind, and templates after them', async () => {
    for (const [i, { packets, protocol }] of kinds.entries()) begin(i, packets, protocol);
    for (const flow of flows(20, { client: client6 })) bed.direct(flow.up());
    for (let host = 1; host < 20; host++)
      bed.direct(new Flow({ client: `10.1.${host}.1` }).up(), 2);
    assert.equal(bed.connections.filter(([key]) => key.protocol === 0).length, 19);
    bed.setSettings(everything(1));
    await allGone();
    assert.deepEqual(bed.connections, []);
    for (const [fwmark, family] of [
      [1, 4],
      [1, 6],
      [2, 4],
    ] as const)
      for (const gateway of bed.service(fwmark, family).gateways)
        assert.deepEqual([gateway.active, gateway.inactive, gateway.persistent], [0, 0, 0]);
  });

  test('leaves those that go on', async () => {
    bed.setSettings(everything(1));
    const [silent, busy] = flows(2);
    bed.direct(silent!.up());
    bed.direct(busy!.up());
    const isAlone = (): boolean => {
      bed.run('ingress', busy!.up('A'));
      return entries() === 1;
    };
    await waitUntil('the end of the silent one', isAlone, deadlineMs);
    assert.equal(bed.stateOf(silent!), undefined);
    assert.equal(bed.stateOf(busy!), 'ESTABLISHED');
  });

  test('leaves a template while a connection through it goes on', async () => {
    bed.setSettings(everything(1));
    const busy = new Flow({ client: '10.1.1.1' });
    bed.direct(busy.up(), 2);
    bed.direct(new Flow({ client: '10.2.1.1' }).up(), 2);
    const isAlone = (): boolean => {
      bed.run('ingress', busy.up('A'));
      return entries() === 2;
    };
    await waitUntil('the end of the other connection and template', isAlone, deadlineMs);
    assert.equal(bed.run('director', new Flow({ client: '10.1.1.2' }).up(), 2).verdict, 'TEMPLATE');
  });
});

describe('the pin of the timers', () => {
  const sweeps = (): number => bed.director.maps.tableCounts.get(0)!.sweeps;

  test('is made again by the next edit where somebody deleted it', async () => {
    assert.ok(timersArePinned());
    // What this process still holds would keep them alive too.
    bed.director.maps.map('clocks').close();
    bed.setSettings(everything(1));
    bed.direct(new Flow().up());
    unpinTimers();
    const stopped = sweeps();
    assert.ok(!timersArePinned());
    bed.edit((table) => table);
    assert.ok(timersArePinned());
    await waitUntil('the timer to run again', () => sweeps() > stopped, deadlineMs);
    await allGone();
  });
});
