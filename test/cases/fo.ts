// fo: ipvs-semantics §2.9. The heaviest that is eligible takes all; ties go to the newest.

import { counts, edit, end, insert, open, remove, type SchedulerCase } from './case.ts';

const heaviest = 2 ** 31 - 1;

export const foCases: SchedulerCase[] = [
  {
    name: 'gives all to the heaviest, of two the newest (golden)',
    scheduler: 'fo',
    gateways: { A: 2, B: 3, C: 3 },
    steps: [open('CCCCCC')],
  },
  {
    name: 'does not look at connections, of whatever kind',
    scheduler: 'fo',
    gateways: { A: 2, B: 1 },
    steps: [counts('A', 1000, 1000), open('AAA'), open('AA', { protocol: 'udp' })],
  },
  {
    name: 'goes to the next when the heaviest is drained or deleted, and back',
    scheduler: 'fo',
    gateways: { A: 3, B: 2, C: 1 },
    steps: [
      open('AA'),
      edit('A', 0),
      open('BB'),
      remove('B'),
      open('CC'),
      edit('A', 3),
      open('AA'),
      insert('D', 3),
      open('DD'),
    ],
  },
  {
    name: 'goes to the next while the heaviest is full',
    scheduler: 'fo',
    gateways: { A: { weight: 3, upper: 2 }, B: { weight: 2, upper: 1 }, C: 1 },
    steps: [open('AABCC'), end('A'), open('AC')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained or full',
    scheduler: 'fo',
    gateways: {},
    steps: [
      open('--'),
      insert('A', 0),
      open('--'),
      insert('B', { weight: 1, upper: 1 }),
      open('B-'),
    ],
  },
  {
    name: 'looks at all of 64 gateways and bears the heaviest weights',
    scheduler: 'fo',
    gateways: Object.fromEntries(
      Array.from({ length: 64 }, (_, i) => [`g${i + 1}`, i === 0 ? heaviest : heaviest - 1]),
    ),
    steps: [open(['g1', 'g1']), edit('g1', heaviest - 1), open(['g64'])],
  },
];
