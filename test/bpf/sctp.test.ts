// SCTP: what opens a connection, its states with replies seen and unseen, its listing.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { formatConnections } from '../../src/ipvsadm/list.ts';
import { parseCommand } from '../../src/ipvsadm/parse.ts';
import * as abi from '../../src/kernel/abi.gen.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, type FlowOptions, server4 } from './flow.ts';

const bed = openBed();
const rr = 2;
const persistent = 3;
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
bed.setService({ fwmark: rr, gateways: [[1], [2]] });
bed.setService({ fwmark: persistent, persistence: 60, gateways: [[1], [2]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const sctp = (options: FlowOptions = {}): Flow => new Flow({ ...options, protocol: 'sctp' });

/** "iINIT oINIT-ACK …" of a flow; tells the state and active/inactive after each. */
function live(flow: Flow, packets: string, hook: 'ingress' | 'director' = 'ingress'): string {
  const steps = packets.split(' ').map((step, n) => {
    const chunks = step.slice(1);
    if (step.startsWith('o')) bed.run('egress', flow.down(chunks));
    else if (n === 0 || hook === 'director') bed.run('director', flow.up(chunks), 1);
    else bed.run('ingress', flow.up(chunks));
    return `${bed.stateOf(flow)} ${bed.counts(1, flow.family)}`;
  });
  return steps.join(', ');
}

const handshake = 'iINIT oINIT-ACK iCOOKIE-ECHO oCOOKIE-ACK';
const opened = 'INIT1 0/1, C-SENT 0/1, C-REPLIED 0/1, ESTABLISHED 1/0';

const lives: [packets: string, steps: string][] = [
  [`${handshake} iDATA oSACK`, `${opened}, ESTABLISHED 1/0, ESTABLISHED 1/0`],
  [
    `${handshake} iSHUTDOWN oSHUTDOWN-ACK iSHUTDOWN-COMPLETE`,
    `${opened}, S-RECEIVED 0/1, S-ACK-SENT 0/1, CLOSED 0/1`,
  ],
  [
    `${handshake} oSHUTDOWN iSHUTDOWN-ACK oSHUTDOWN-COMPLETE`,
    `${opened}, S-SENT 0/1, CLOSED 0/1, CLOSED 0/1`,
  ],
  [`${handshake} iABORT`, `${opened}, CLOSED 0/1`],
  [`${handshake} oABORT`, `${opened}, CLOSED 0/1`],
  ['iINIT oABORT', 'INIT1 0/1, REJECTED 0/1'],
  ['iINIT iINIT oINIT-ACK', 'INIT1 0/1, INIT 0/1, C-SENT 0/1'],
  // Both ends begin at once.
  [
    'iINIT oINIT iINIT-ACK oCOOKIE-ECHO iCOOKIE-ACK',
    'INIT1 0/1, C-WAIT 0/1, COOKIE 0/1, C-ECHOED 0/1, ESTABLISHED 1/0',
  ],
  // A cookie and an ABORT in one packet: an ABORT. Behind anything else it is not looked for.
  ['iINIT oINIT-ACK iCOOKIE-ECHO+ABORT', 'INIT1 0/1, C-SENT 0/1, CLOSED 0/1'],
  [`${handshake} oCOOKIE-ACK+ABORT`, `${opened}, CLOSED 0/1`],
  [`${handshake} iSACK+ABORT`, `${opened}, ESTABLISHED 1/0`],
  [`${handshake} iCOOKIE-ECHO+DATA+ABORT`, `${opened}, ESTABLISHED 1/0`],
  // Types that nobody has defined.
  [`${handshake} i0x0f o0xc1`, `${opened}, ESTABLISHED 1/0, ESTABLISHED 1/0`],
  // Replies go another way.
  [
    'iINIT iCOOKIE-ECHO iDATA iSHUTDOWN iSHUTDOWN-COMPLETE',
    'INIT1 0/1, ESTABLISHED 1/0, ESTABLISHED 1/0, S-RECEIVED 0/1, CLOSED 0/1',
  ],
];

describe('an SCTP connection', () => {
  for (const [packets, steps] of lives) {
    for (const client of [client4, client6]) {
      test(`of ${client} lives as IPVS's with ${packets}`, () => {
        assert.equal(live(sctp({ client }), packets), steps);
      });
    }
    test(`lives so too if only the director sees its client: ${packets}`, () => {
      assert.equal(live(sctp(), packets, 'director'), steps);
    });
  }

  test('is one of the client, the server and their ports', () => {
    const first = sctp({ port: 1 });
    assert.notEqual(bed.direct(first.up(), rr), bed.direct(sctp({ port: 2 }).up(), rr));
    assert.equal(bed.direct(first.up('DATA'), rr), gatewayAddress(2));
    assert.equal(bed.run('egress', sctp({ port: 1, serverPort: 81 }).down()).verdict, 'UNKNOWN');
  });

  test('assures the template through which it was made once it is established', () => {
    const flow = sctp();
    const state = () => [...readConnections(bed.director)].find((c) => c.protocol === 0)?.state;
    bed.direct(flow.up(), persistent);
    for (const step of handshake.split(' ').slice(1)) {
      assert.equal(state(), 'NONE', `before ${step}`);
      if (step.startsWith('o')) bed.run('egress', flow.down(step.slice(1)));
      else bed.run('ingress', flow.up(step.slice(1)));
    }
    assert.equal(state(), 'ASSURED');
    assert.equal(bed.run('director', sctp({ port: 9 }).up(), persistent).verdict, 'TEMPLATE');
  });

  test('asked for twice and never answered goes sooner while the table is crowded', () => {
    const [silent, answered] = [sctp({ port: 1 }), sctp({ port: 2 })];
    for (const flow of [silent, answered]) live(flow, 'iINIT iINIT');
    bed.run('egress', answered.down('SACK'));
    bed.changeConnections((_, conn) => ({ ...conn, seenNs: conn.seenNs - 11_000_000_000n }));
    bed.setSettings({ connectionLimit: 3 });
    assert.equal(bed.run('egress', silent.down()).verdict, 'UNKNOWN');
    assert.equal(bed.run('egress', answered.down()).verdict, 'KNOWN');
  });
});

const others = ['INIT-ACK', 'COOKIE-ECHO', 'COOKIE-ACK', 'DATA', 'SACK', 'HEARTBEAT', 'ERROR'];
const ends = ['SHUTDOWN', 'SHUTDOWN-ACK', 'SHUTDOWN-COMPLETE', '0x80'];

describe('an SCTP packet without a connection', () => {
  const verdictOf = (chunks: string): string => bed.run('director', sctp().up(chunks), 1).verdict;

  for (const chunks of [...others, ...ends, 'ABORT', 'COOKIE-ECHO+ABORT', 'DATA+INIT']) {
    test(`begins none with ${chunks}`, () => assert.equal(verdictOf(chunks), 'MIDSTREAM'));
  }

  test('begins one with any chunk but ABORT where sloppy_sctp is set', () => {
    bed.setSettings({ sloppySctp: 1 });
    for (const chunks of ['ABORT', 'COOKIE-ECHO+ABORT'])
      assert.equal(verdictOf(chunks), 'MIDSTREAM');
    assert.deepEqual(bed.connections, []);
    for (const [chunks, state] of [
      ['DATA', 'ESTABLISHED'],
      ['COOKIE-ECHO', 'ESTABLISHED'],
      ['INIT-ACK', 'C-ECHOED'],
      ['SHUTDOWN', 'S-RECEIVED'],
      ['SHUTDOWN-COMPLETE', 'CLOSED'],
    ] as const) {
      assert.equal(verdictOf(chunks), 'NEW', chunks);
      assert.equal(bed.stateOf(sctp()), state);
      bed.forget();
      bed.setSettings({ sloppySctp: 1 });
    }
  });

  test('of TCP is none the looser for it', () => {
    bed.setSettings({ sloppySctp: 1 });
    assert.equal(bed.run('director', new Flow().up('A'), 1).verdict, 'MIDSTREAM');
  });
});

describe("an INIT on an old SCTP connection's ports", () => {
  /** With one that takes the other gateway first: the next choice is the same again. */
  function takeTurns(flow: Flow): { old: string; next: string } {
    const old = bed.direct(flow.up(), rr);
    const next = bed.direct(sctp({ port: 9999 }).up(), rr);
    bed.direct(sctp({ port: 9998 }).up(), rr);
    return { old, next };
  }

  for (const seenBy of ['ingress', 'the director alone']) {
    test(`is scheduled anew after CLOSED, seen by ${seenBy}`, () => {
      const flow = sctp();
      const { old, next } = takeTurns(flow);
      bed.run('ingress', flow.up('ABORT'));
      assert.equal(bed.stateOf(flow), 'CLOSED');
      if (seenBy === 'ingress') {
        assert.equal(bed.run('ingress', flow.up()).verdict, 'UNKNOWN');
        assert.equal(bed.run('egress', flow.down()).verdict, 'UNKNOWN');
      }
      assert.equal(bed.direct(flow.up(), rr), next, `not ${old}`);
      assert.equal(bed.stateOf(flow), 'INIT1');
      assert.equal(bed.connections.length, 3);
    });
  }

  for (const [state, then] of [
    ['INIT', 'iINIT'],
    ['REJECTED', 'oABORT'],
    ['ESTABLISHED', 'iCOOKIE-ECHO'],
    ['S-RECEIVED', 'iCOOKIE-ECHO iSHUTDOWN'],
  ] as const) {
    test(`stays on its gateway in ${state}`, () => {
      const flow = sctp();
      const { old } = takeTurns(flow);
      for (const step of then.split(' '))
        if (step.startsWith('o')) bed.run('egress', flow.down(step.slice(1)));
        else bed.run('ingress', flow.up(step.slice(1)));
      assert.equal(bed.stateOf(flow), state);
      assert.equal(bed.direct(flow.up(), rr), old);
    });
  }

  test('stays there after CLOSED too where conn_reuse_mode is 0', () => {
    const flow = sctp();
    const { old } = takeTurns(flow);
    bed.run('ingress', flow.up('ABORT'));
    bed.setSettings({ connReuseMode: 0 });
    assert.equal(bed.direct(flow.up(), rr), old);
    assert.equal(bed.stateOf(flow), 'INIT');
  });

  test('leaves a drained gateway where expire_nodest_conn is set', () => {
    const flow = sctp();
    const { old, next } = takeTurns(flow);
    const drain = (weight: number): void =>
      bed.editService(
        ({ gateways }) => ({
          gateways: gateways.map((each) => (each.address === old ? { ...each, weight } : each)),
        }),
        rr,
      );
    drain(0);
    bed.setSettings({ expireNodestConn: 1 });
    assert.equal(bed.direct(flow.up('DATA'), rr), old);
    assert.equal(bed.direct(flow.up(), rr), next);
    drain(1);
  });
});

describe('the listing of SCTP', () => {
  const command = parseCommand(['-Lnc']);

  /** Rows as ipvsadm -Lnc prints them; a second may have passed. */
  function rows(): string[] {
    assert.ok(command.kind === 'list');
    return formatConnections([...readConnections(bed.director)], command)
      .split('\n')
      .slice(2, -1);
  }

  const first = gatewayAddress(1);
  for (const [packets, expires, state] of [
    ['iINIT', '00:0[34]', 'INIT1      '],
    [handshake, '1[45]:[05][09]', 'ESTABLISHED'],
    [`${handshake} oSHUTDOWN`, '01:0[01]', 'S-SENT     '],
    ['iINIT oABORT', '00:0[34]', 'REJECTED   '],
  ] as const) {
    test(`says state, time left and ports of one in ${state.trim()}`, () => {
      live(sctp({ serverPort: 3868 }), packets);
      const [row, ...more] = rows();
      assert.deepEqual(more, []);
      const ends = `${client4}:4000      ${server4}:3868   ${first}:3868`;
      assert.match(row!, new RegExp(`^SCTP ${expires}  ${state} ${ends}$`));
    });
  }

  test('has a name for every state', () => {
    const names =
      'NONE INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED ESTABLISHED S-SENT S-RECEIVED S-ACK-SENT REJECTED CLOSED';
    live(sctp(), 'iINIT');
    const listed = names.split(' ').map((_, number) => {
      const { WORD_STATE } = abi.connWord;
      const state = abi.connState.CONN_SCTP + number;
      bed.changeConnections((_, conn) => ({
        ...conn,
        word: ((conn.word & ~WORD_STATE) | state) >>> 0,
      }));
      return bed.stateOf(sctp());
    });
    assert.equal(listed.join(' '), names);
    // Inactive, as it is counted.
    assert.equal(bed.counts(), '0/1');
  });
});
