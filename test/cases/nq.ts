// nq: ipvs-semantics §2.4. The newest that has no active connection, however light; else as sed.

import { close, counts, edit, end, insert, open, remove, type SchedulerCase } from './case.ts';

export const nqCases: SchedulerCase[] = [
  {
    name: 'lets nobody be idle (golden)',
    scheduler: 'nq',
    gateways: { A: 2, B: 1 },
    steps: [open('BAAABAABAABA')],
  },
  {
    name: 'goes on as sed once nobody is idle (golden)',
    scheduler: 'nq',
    gateways: { A: 4, B: 3, C: 2 },
    steps: [open('CBAABACBAABC')],
  },
  {
    name: 'sends all UDP, which is never active here, to the newest (golden)',
    scheduler: 'nq',
    gateways: { A: 2, B: 1 },
    steps: [open('BBBBB', { protocol: 'udp' })],
  },
  {
    name: 'takes one with inactive connections only for idle',
    scheduler: 'nq',
    gateways: { A: 1, B: 1 },
    steps: [counts('B', 0, 1000), open('BA')],
  },
  {
    name: 'returns at once to a gateway that becomes idle',
    scheduler: 'nq',
    gateways: { A: 100, B: 1 },
    steps: [open('BAA'), close('B'), open('BA')],
  },
  {
    name: 'passes by idle gateways that are drained or full',
    scheduler: 'nq',
    gateways: { A: 1, B: { weight: 1, upper: 1 }, C: 0 },
    steps: [open('B'), close('B'), open('AA'), end('B'), open('BA')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'nq',
    gateways: {},
    steps: [open('--'), insert('A', 0), open('--'), edit('A', 1), open('AA')],
  },
  {
    name: 'finds the only idle one of 64 gateways',
    scheduler: 'nq',
    gateways: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`g${i + 1}`, 1])),
    steps: [
      open(Array.from({ length: 64 }, (_, i) => `g${64 - i}`)),
      close('g1'),
      open(['g1', 'g64', 'g63']),
    ],
  },
  {
    name: 'lets an added gateway in first, and follows edits',
    scheduler: 'nq',
    gateways: { A: 2, B: 2 },
    steps: [open('BABA'), insert('C', 1), open('CB'), edit('A', 9), open('AAA'), remove('C')],
  },
];
