// bpf/state_sctp.h on the host, against the tables of ipvs-semantics §3.4.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connState } from '../../src/kernel/abi.gen.ts';
import { SchedHost } from './sched-host.ts';

/** In the order of IPVS's numbers. */
const states = 'NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL'.split(' ');

const views = { input: 0, output: 1, 'input only': 2 };
type View = keyof typeof views;

/** Types of chunks, in the order of the tables' columns. */
const chunks = {
  ...{ DATA: 0, INIT: 1, 'INIT-ACK': 2, 'COOKIE-ECHO': 10, 'COOKIE-ACK': 11, SHUTDOWN: 7 },
  ...{ 'SHUTDOWN-ACK': 8, 'SHUTDOWN-COMPLETE': 14, ERROR: 9, ABORT: 6 },
};
type Chunk = keyof typeof chunks;

/** Columns: from; then what each chunk makes of it. */
const tables: Record<View, string> = {
  input: `
    NO  ES  I1  CW  CR  ES  SR  CL  CL  CL  CL
    I1  I1  IN  CW  IN  I1  I1  IN  CL  I1  CL
    IN  IN  IN  CW  IN  IN  IN  IN  CL  IN  CL
    CS  CS  CS  CS  CR  CS  CS  CS  CS  CS  CL
    CR  CR  CR  CR  CR  CR  CR  CR  CR  CR  CL
    CW  CW  CW  CO  CW  CW  CW  CW  CW  CW  RJ
    CO  CO  CO  CO  CO  CO  CO  CO  CO  CO  CL
    CE  CE  CE  CE  CE  ES  CE  CE  CE  CL  CL
    ES  ES  ES  ES  ES  ES  SR  ES  ES  ES  CL
    SS  SS  SS  SS  SS  SS  SS  CL  SS  SS  CL
    SR  SR  SR  SR  SR  SR  SR  SR  SR  SR  CL
    SA  SA  SA  SA  SA  SA  SA  CL  CL  SA  CL
    RJ  RJ  IN  RJ  RJ  RJ  RJ  RJ  RJ  RJ  CL
    CL  CL  IN  CL  CL  CL  CL  CL  CL  CL  CL`,
  output: `
    NO  ES  CW  CS  CE  ES  SS  SA  CL  CL  CL
    I1  I1  CW  CS  CE  ES  SS  SA  I1  CL  RJ
    IN  IN  CW  CS  CE  ES  SS  SA  IN  CL  CL
    CS  CS  CW  CS  CE  ES  SS  SA  CS  CL  CL
    CR  CR  CW  CR  CE  ES  SS  SA  CR  CL  CL
    CW  CW  CW  CW  CE  ES  SS  CW  CW  CW  CL
    CO  CO  CW  CO  CE  ES  SS  CO  CO  CO  CL
    CE  CE  CW  CE  CE  ES  SS  CE  CE  CE  CL
    ES  ES  ES  ES  ES  ES  SS  ES  ES  ES  CL
    SS  SS  CW  SS  SS  SS  SS  SA  SS  SS  CL
    SR  SR  CW  SR  SR  SR  SR  SA  SR  SR  CL
    SA  SA  CW  SA  SA  SA  SA  SA  SA  SA  CL
    RJ  RJ  CW  RJ  RJ  RJ  RJ  RJ  RJ  RJ  CL
    CL  CL  CW  CL  CL  CL  CL  CL  CL  CL  CL`,
  'input only': `
    NO  ES  I1  CE  ES  ES  SR  CL  CL  CL  CL
    I1  I1  IN  CE  ES  I1  I1  IN  CL  I1  CL
    IN  IN  IN  CE  ES  IN  IN  IN  CL  IN  CL
    CS  CS  IN  CE  ES  ES  CS  CS  CL  CS  CL
    CR  CR  IN  CE  ES  ES  CR  CR  CL  CR  CL
    CW  ES  IN  CE  ES  CW  CW  CW  CW  CW  RJ
    CO  CO  CO  CO  CO  ES  CO  CO  CO  CO  CL
    CE  CE  CE  CE  CE  ES  CE  CE  CE  CE  CL
    ES  ES  ES  ES  ES  ES  SR  CL  ES  ES  CL
    SS  SS  SS  SS  SS  SS  SS  CL  SS  SS  CL
    SR  SR  SR  SR  SR  SR  SR  SR  CL  SR  CL
    SA  SA  SA  SA  SA  SA  SA  CL  CL  SA  CL
    RJ  RJ  IN  RJ  RJ  RJ  RJ  RJ  RJ  RJ  CL
    CL  CL  IN  CL  CL  CL  CL  CL  CL  CL  CL`,
};

const host = new SchedHost();
after(() => host.stop());

async function next(state: string, type: number, view: View): Promise<string> {
  const from = connState.CONN_SCTP + states.indexOf(state);
  const number = await host.ask('sctp', from, type, views[view]);
  return states[number - connState.CONN_SCTP]!;
}

/** From a new connection on: its first chunk comes in by the view that saw no reply. */
async function live(packets: string): Promise<string> {
  const have: string[] = [];
  let replied = false;
  for (const [direction, ...letters] of packets.split(' ')) {
    replied ||= direction === 'o';
    const view = direction === 'o' ? 'output' : replied ? 'input' : 'input only';
    have.push(await next(have.at(-1) ?? 'NO', chunks[letters.join('') as Chunk], view));
  }
  return have.join(' ');
}

describe('an SCTP connection', () => {
  for (const view of Object.keys(tables) as View[]) {
    for (const row of tables[view].trim().split('\n')) {
      const [from, ...want] = row.trim().split(/\s+/);
      test(`moves on from ${from} as IPVS says, in the ${view} view`, async () => {
        const have = [];
        for (const type of Object.values(chunks)) have.push(await next(from!, type, view));
        assert.deepEqual(have, want);
      });
    }
  }

  for (const [name, packets, want] of [
    [
      'opened and closed by the client',
      'iINIT oINIT-ACK iCOOKIE-ECHO oCOOKIE-ACK iSHUTDOWN oSHUTDOWN-ACK iSHUTDOWN-COMPLETE',
      'I1 CS CR ES SR SA CL',
    ],
    [
      'closed by the server',
      'iINIT oINIT-ACK iCOOKIE-ECHO oCOOKIE-ACK oSHUTDOWN iSHUTDOWN-ACK',
      'I1 CS CR ES SS CL',
    ],
    ['refused by the server', 'iINIT oABORT', 'I1 RJ'],
    ['asked for again and again', 'iINIT iINIT iINIT', 'I1 IN IN'],
    ['without a reply', 'iINIT iCOOKIE-ECHO iDATA iSHUTDOWN', 'I1 ES ES SR'],
    ['in mid-stream', 'iDATA', 'ES'],
  ] as const) {
    test(`${name} goes through ${want}`, async () => assert.equal(await live(packets), want));
  }

  test("begins in IPVS's state 0, however its entry says that it is new", async () => {
    assert.equal(
      await host.ask('sctp', connState.CONN_NONE, chunks.INIT, 2),
      connState.CONN_SCTP_INIT1,
    );
  });

  test('takes every chunk without a meaning of its own for data', async () => {
    for (let type = 0; type < 256; type++) {
      if (type !== 0 && Object.values(chunks).includes(type)) continue;
      assert.equal(await next('NO', type, 'output'), 'ES', `${type}`);
    }
  });
});
