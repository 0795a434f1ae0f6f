// ovf: ipvs-semantics §2.9. The heaviest with at most `weight` active connections, so each takes
// one more than its weight before the next has its turn.

import { close, counts, edit, end, insert, open, remove, type SchedulerCase } from './case.ts';

const heaviest = 2 ** 31 - 1;

export const ovfCases: SchedulerCase[] = [
  {
    name: 'fills one after the other, and refuses when all are full (golden)',
    scheduler: 'ovf',
    gateways: { A: 2, B: 1, C: 3 },
    steps: [open('CCCC AAA BB --')],
  },
  {
    name: 'never spills UDP, which is never active here (golden)',
    scheduler: 'ovf',
    gateways: { A: 1, B: 2 },
    steps: [open('BBBBBB', { protocol: 'udp' })],
  },
  {
    name: 'does not look at inactive connections',
    scheduler: 'ovf',
    gateways: { A: 1, B: 2 },
    steps: [counts('B', 2, 1000), open('B AA -')],
  },
  {
    name: 'gives ties to the newest',
    scheduler: 'ovf',
    gateways: { A: 1, B: 1 },
    steps: [open('BB AA -')],
  },
  {
    name: 'returns to the heaviest when one of its connections closes',
    scheduler: 'ovf',
    gateways: { A: 1, B: 2 },
    steps: [open('BBB A'), close('B'), open('B A'), end('B'), open('B -')],
  },
  {
    name: 'leaves drained and full gateways out',
    scheduler: 'ovf',
    gateways: { A: 1, B: { weight: 9, upper: 2 }, C: 0 },
    steps: [open('BB AA -'), end('B'), open('B -')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'ovf',
    gateways: {},
    steps: [open('--'), insert('A', 0), open('--'), edit('A', 1), open('AA-')],
  },
  {
    name: 'follows edits',
    scheduler: 'ovf',
    gateways: { A: 1, B: 2 },
    steps: [
      open('BBB'),
      edit('A', 3),
      open('A'),
      edit('B', 4),
      open('BB'),
      insert('C', 5),
      open('C'),
      remove('C'),
      open('AAA-'),
    ],
  },
  {
    name: 'bears the heaviest weights',
    scheduler: 'ovf',
    gateways: { A: heaviest, B: heaviest - 1 },
    steps: [counts('A', heaviest, 0), open('AB')],
  },
];
