// bpf/state.h and state_tcp.h on the host, against the tables and recordings of ipvs-semantics §3.2.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SchedHost } from './sched-host.ts';

/** In the order of IPVS's numbers. */
const names =
  'NONE EST SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK';
const states = names.split(' ');

const views = { input: 0, output: 1, 'input only': 2 };
type View = keyof typeof views;

const flags = { F: 0x01, S: 0x02, R: 0x04, P: 0x08, A: 0x10, U: 0x20 };

/** Columns: from; then what SYN, FIN, ACK and RST make of it. */
const tables: Record<View, string> = {
  input: `
    NONE        SYN_RECV  CLOSE       EST         CLOSE
    EST         EST       CLOSE_WAIT  EST         CLOSE
    SYN_SENT    EST       SYN_SENT    SYN_SENT    CLOSE
    SYN_RECV    SYN_RECV  TIME_WAIT   EST         SYN_RECV
    FIN_WAIT    SYN_RECV  TIME_WAIT   FIN_WAIT    CLOSE
    TIME_WAIT   SYN_RECV  TIME_WAIT   TIME_WAIT   CLOSE
    CLOSE       SYN_RECV  CLOSE       CLOSE       CLOSE
    CLOSE_WAIT  SYN_RECV  CLOSE_WAIT  CLOSE_WAIT  CLOSE
    LAST_ACK    SYN_RECV  LAST_ACK    CLOSE       LAST_ACK
    LISTEN      SYN_RECV  LISTEN      LISTEN      LISTEN
    SYNACK      SYN_RECV  TIME_WAIT   EST         SYN_RECV`,
  output: `
    NONE        SYN_SENT  TIME_WAIT   EST         CLOSE
    EST         EST       FIN_WAIT    EST         CLOSE
    SYN_SENT    SYN_SENT  SYN_SENT    SYN_SENT    SYN_SENT
    SYN_RECV    SYN_RECV  TIME_WAIT   EST         CLOSE
    FIN_WAIT    SYN_SENT  FIN_WAIT    FIN_WAIT    CLOSE
    TIME_WAIT   SYN_SENT  TIME_WAIT   TIME_WAIT   TIME_WAIT
    CLOSE       SYN_SENT  CLOSE       CLOSE       CLOSE
    CLOSE_WAIT  SYN_SENT  TIME_WAIT   CLOSE_WAIT  CLOSE
    LAST_ACK    SYN_SENT  LAST_ACK    LAST_ACK    CLOSE
    LISTEN      LISTEN    LISTEN      EST         CLOSE
    SYNACK      SYN_RECV  TIME_WAIT   EST         CLOSE`,
  'input only': `
    NONE        SYN_RECV  CLOSE       EST         CLOSE
    EST         EST       FIN_WAIT    EST         CLOSE
    SYN_SENT    EST       SYN_SENT    SYN_SENT    CLOSE
    SYN_RECV    SYN_RECV  TIME_WAIT   EST         SYN_RECV
    FIN_WAIT    SYN_RECV  FIN_WAIT    FIN_WAIT    CLOSE
    TIME_WAIT   SYN_RECV  TIME_WAIT   TIME_WAIT   CLOSE
    CLOSE       SYN_RECV  CLOSE       CLOSE       CLOSE
    CLOSE_WAIT  SYN_RECV  CLOSE_WAIT  CLOSE_WAIT  CLOSE
    LAST_ACK    SYN_RECV  LAST_ACK    CLOSE       LAST_ACK
    LISTEN      SYN_RECV  LISTEN      LISTEN      LISTEN
    SYNACK      SYN_RECV  TIME_WAIT   EST         CLOSE`,
};

/** Segments from the client (i) and to it (o), with the state after each. */
const recorded: { name: string; segments: string; states: string }[] = [
  { name: 'opened', segments: 'iS', states: 'SYN_RECV' },
  { name: 'established', segments: 'iS iA', states: 'SYN_RECV EST' },
  { name: 'reset by the client', segments: 'iS iA iR', states: 'SYN_RECV EST CLOSE' },
  { name: 'reset while it opens', segments: 'iS iR', states: 'SYN_RECV SYN_RECV' },
  { name: 'closed while it opens', segments: 'iS iF', states: 'SYN_RECV TIME_WAIT' },
  { name: 'begun by SYN+ACK', segments: 'iSA', states: 'SYN_RECV' },
  { name: 'closed by the client', segments: 'iS iA iF', states: 'SYN_RECV EST FIN_WAIT' },
  {
    name: 'opened again after its FIN',
    segments: 'iS iA iFA iS',
    states: 'SYN_RECV EST FIN_WAIT SYN_RECV',
  },
  { name: 'reset and still sending', segments: 'iS iA iR iA', states: 'SYN_RECV EST CLOSE CLOSE' },
  { name: 'reset too early, then answered', segments: 'iS iR iA', states: 'SYN_RECV SYN_RECV EST' },
  { name: 'half closed', segments: 'iS iA iFA iA', states: 'SYN_RECV EST FIN_WAIT FIN_WAIT' },
  {
    name: 'seen both ways and closed by the client',
    segments: 'iS oSA iA iFA oA oFA iA',
    states: 'SYN_RECV SYN_RECV EST CLOSE_WAIT CLOSE_WAIT TIME_WAIT TIME_WAIT',
  },
  {
    name: 'seen both ways and closed by the server',
    segments: 'iS oSA iA oFA iA iFA oA',
    states: 'SYN_RECV SYN_RECV EST FIN_WAIT FIN_WAIT TIME_WAIT TIME_WAIT',
  },
  { name: 'refused by the server', segments: 'iS oRA', states: 'SYN_RECV CLOSE' },
  {
    name: 'answered and reset by the client at once',
    segments: 'iS oSA iR',
    states: 'SYN_RECV SYN_RECV SYN_RECV',
  },
];

const host = new SchedHost();
after(() => host.stop());

async function next(state: string, bits: number, view: View): Promise<string> {
  const number = await host.ask('state', states.indexOf(state), bits, views[view]);
  return states[number]!;
}

describe('a TCP connection', () => {
  for (const view of Object.keys(tables) as View[]) {
    for (const row of tables[view].trim().split('\n')) {
      const [from, ...want] = row.trim().split(/\s+/);
      test(`moves on from ${from} as IPVS says, in the ${view} view`, async () => {
        const events = [flags.S, flags.F, flags.A, flags.R];
        const have = [];
        for (const bits of events) have.push(await next(from!, bits, view));
        assert.deepEqual(have, want);
      });
    }
  }

  for (const { name, segments, states: want } of recorded) {
    test(`${name} (${segments}) goes through the recorded states`, async () => {
      const have: string[] = [];
      let replied = false;
      for (const [direction, ...letters] of segments.split(' ')) {
        replied ||= direction === 'o';
        const bits = letters.reduce(
          (word, letter) => word | flags[letter as keyof typeof flags],
          0,
        );
        const view = direction === 'o' ? 'output' : replied ? 'input' : 'input only';
        have.push(await next(have.at(-1) ?? 'NONE', bits, view));
      }
      assert.equal(have.join(' '), want);
    });
  }

  test('heeds RST before SYN before FIN before ACK, and no other bit', async () => {
    const from = async (bits: number) => await next('EST', bits, 'input');
    assert.equal(await from(flags.R | flags.S | flags.F | flags.A), 'CLOSE');
    assert.equal(await from(flags.S | flags.F | flags.A), 'EST');
    assert.equal(await from(flags.F | flags.A | flags.P | flags.U), 'CLOSE_WAIT');
    assert.equal(await from(flags.A | flags.P | flags.U | 0xc0), 'EST');
  });

  test('is closed by a segment with none of the four bits, from every state', async () => {
    for (const state of states) {
      for (const view of Object.keys(views) as View[]) {
        assert.equal(await next(state, flags.P | flags.U | 0xc0, view), 'CLOSE');
        assert.equal(await next(state, 0, view), 'CLOSE');
      }
    }
  });
});

describe('a state', () => {
  /** In abi.h's order: UDP and templates come after IPVS's numbers for TCP, then SCTP. */
  const all = [
    ...states,
    ...['ASKED', 'ANSWERED', 'TEMPLATE', 'TEMPLATE_ASSURED', 'DEAD'],
    ...'NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL'.split(' ').map((name) => `SCTP ${name}`),
  ];

  async function statesWith(command: 'active' | 'template'): Promise<string[]> {
    const found = [];
    for (const [number, name] of all.entries()) {
      if ((await host.ask(command, number)) === 1) found.push(name);
    }
    return found;
  }

  test('is active in the opening and open ones of TCP, the open one of SCTP, answered UDP', async () => {
    const want = ['EST', 'SYN_SENT', 'SYN_RECV', 'SYNACK', 'ANSWERED', 'SCTP ES'];
    assert.deepEqual(await statesWith('active'), want);
  });

  test('is a template whether it is assured or not', async () => {
    assert.deepEqual(await statesWith('template'), ['TEMPLATE', 'TEMPLATE_ASSURED']);
  });
});
