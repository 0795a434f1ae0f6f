// sed: ipvs-semantics §2.4. The least (active + 1) / weight; ties go to the newest.

import {
  close,
  counts,
  edit,
  end,
  insert,
  open,
  remove,
  type SchedulerCase,
  setScheduler,
} from './case.ts';

const heaviest = 2 ** 31 - 1;

export const sedCases: SchedulerCase[] = [
  {
    name: 'counts the new connection in (golden)',
    scheduler: 'sed',
    gateways: { A: 2, B: 1 },
    steps: [open('ABAABAABA')],
  },
  {
    name: 'shares by weight (golden)',
    scheduler: 'sed',
    gateways: { A: 4, B: 3, C: 2 },
    steps: [open('ABCABACBAABC')],
  },
  {
    name: 'does not see UDP, which is never active here: all to the heaviest (golden)',
    scheduler: 'sed',
    gateways: { A: 2, B: 1 },
    steps: [open('AAAAA', { protocol: 'udp' })],
  },
  {
    name: 'gives ties to the newest',
    scheduler: 'sed',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBACBA')],
  },
  {
    name: 'does not look at inactive connections',
    scheduler: 'sed',
    gateways: { A: 1, B: 1 },
    steps: [counts('B', 0, 1000), open('BA')],
  },
  {
    name: 'returns to a gateway whose connections close',
    scheduler: 'sed',
    gateways: { A: 1, B: 1 },
    steps: [open('BABA'), close('A'), close('A'), open('AABA')],
  },
  {
    name: 'leaves a drained gateway out',
    scheduler: 'sed',
    gateways: { A: 1, B: 0, C: 2 },
    steps: [open('CCACC')],
  },
  {
    name: 'leaves a full gateway out until it is below its threshold',
    scheduler: 'sed',
    gateways: { A: 1, B: { weight: 9, upper: 2 } },
    steps: [open('BBA'), end('B'), open('BA')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'sed',
    gateways: {},
    steps: [open('--'), insert('A', 0), insert('B', 0), open('--'), edit('A', 1), open('AA')],
  },
  {
    name: 'bears the heaviest weights',
    scheduler: 'sed',
    gateways: { A: heaviest, B: heaviest - 1 },
    steps: [counts('A', heaviest, 0), counts('B', heaviest, 0), open('AAB')],
  },
  {
    name: 'looks at all of 64 gateways',
    scheduler: 'sed',
    gateways: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`g${i + 1}`, i ? 1 : 2])),
    steps: [open(['g1', 'g64', 'g63'])],
  },
  {
    name: 'follows edits, and goes on with what is open',
    scheduler: 'sed',
    gateways: { A: 1, B: 1 },
    steps: [
      open('BABA'),
      edit('A', 3),
      // A: 3/3, B: 3/1.
      open('AAAA'),
      insert('C', 2),
      open('CCC'),
      remove('C'),
      // A: 7/3 and 8/3, then a tie.
      open('AAB'),
    ],
  },
  {
    name: 'follows the connections that another scheduler opened',
    scheduler: 'rr',
    gateways: { A: 1, B: 3 },
    steps: [open('BABA'), setScheduler('sed'), open('BBBB')],
  },
];
