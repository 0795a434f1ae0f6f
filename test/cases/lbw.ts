// lbw: docs/schedulers.md. The gateway whose capacity is used least, in the direction that is used
// more; each connection that the averages don't show yet counts as 64,000 bytes a second down.

import {
  carry,
  edit,
  end,
  insert,
  open,
  remove,
  type SchedulerCase,
  setScheduler,
} from './case.ts';

/** Bits a second; powers of two, so that no part of them is rounded. */
const fast = 2 ** 27;
const slow = 2 ** 26;

export const lbwCases: SchedulerCase[] = [
  {
    name: 'spreads fresh connections over idle gateways, the newest first',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBACBA'), open('CBA', { protocol: 'udp' })],
  },
  {
    name: 'spreads them by capacity',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1 },
    steps: [
      carry('A', { capacityDown: fast, capacityUp: fast }),
      carry('B', { capacityDown: slow, capacityUp: slow }),
      open('BAA BAA BAA'),
    ],
  },
  {
    name: 'takes a gateway whose capacity nobody told for 100 Mbit/s',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1 },
    steps: [carry('A', { capacityDown: 200_000_001, capacityUp: 1 }), open('BAAA')],
  },
  {
    name: 'avoids a gateway that carries much until the others have as much',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1 },
    // 1,000,000 bytes a second are 15.6 fresh connections.
    steps: [carry('B', { down: 1_000_000 }), open(`${'A'.repeat(16)}B`)],
  },
  {
    name: 'looks at the part of the capacity, not at the bytes',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1 },
    steps: [
      carry('A', { down: 3_000_000, capacityDown: 1_000_000_000 }),
      carry('B', { down: 1_000_000, capacityDown: 100_000_000 }),
      open('AAAAA'),
    ],
  },
  {
    name: 'looks at the direction that is used more',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      carry('A', { down: 2_000_000, up: 0 }),
      carry('B', { down: 0, up: 3_000_000 }),
      carry('C', { down: 4_000_000, up: 1_000_000, capacityUp: 1_000_000 }),
      open('AAAA'),
    ],
  },
  {
    name: 'looks only whether a weight is 0, and at no connections',
    scheduler: 'lbw',
    gateways: { A: 100, B: 0, C: 1 },
    steps: [open('CACA'), end('A'), end('A'), open('CA')],
  },
  {
    name: 'leaves a full gateway out',
    scheduler: 'lbw',
    gateways: { A: 1, B: { weight: 1, upper: 1 } },
    steps: [open('BAA'), end('B'), open('BA')],
  },
  {
    name: 'bears a gateway far beyond its capacity',
    scheduler: 'lbw',
    gateways: { A: 1, B: 1 },
    steps: [
      carry('B', { down: 2 ** 34, capacityDown: 1 }),
      carry('A', { down: 2 ** 30 }),
      open('AA'),
    ],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'lbw',
    gateways: {},
    steps: [open('--'), insert('A', 0), open('--'), edit('A', 1), open('AA')],
  },
  {
    name: 'follows edits, and what a gateway carries it carries for all schedulers',
    scheduler: 'rr',
    gateways: { A: 1, B: 1 },
    steps: [
      open('BAB'),
      setScheduler('lbw'),
      open('ABA'),
      insert('C', 1),
      open('CC'),
      remove('C'),
      open('BA'),
    ],
  },
];
