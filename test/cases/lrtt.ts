// lrtt: docs/schedulers.md. The gateway by which servers answer soonest is kept until another is
// sooner by a fifth and by a millisecond; every 16th connection tries one of the others in turn.

import {
  answer,
  edit,
  end,
  insert,
  open,
  remove,
  type SchedulerCase,
  setScheduler,
} from './case.ts';

const times = (count: number, name: string): string => name.repeat(count);

export const lrttCases: SchedulerCase[] = [
  {
    name: 'gives all their turn as long as nothing is known',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBACBA'), open('CBA', { protocol: 'udp' })],
  },
  {
    name: 'keeps the soonest, and tries the others in turn',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      answer('A', 20_000),
      answer('B', 30_000),
      // C is not known: it is only tried. The third try would be A's own.
      open(`${times(15, 'A')}C ${times(15, 'A')}B ${times(15, 'A')}C ${times(15, 'A')}C`),
    ],
  },
  {
    name: 'tries each of three others',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1, C: 1, D: 1 },
    steps: [
      answer('A', 20_000),
      open(`${times(15, 'A')}D ${times(15, 'A')}C ${times(15, 'A')}B ${times(15, 'A')}D`),
    ],
  },
  {
    name: 'gives ties to the newest',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [answer('A', 20_000), answer('B', 20_000), open('BBB')],
  },
  {
    name: 'changes only for one that is sooner by more than a fifth',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1 },
    steps: [
      answer('A', 20_000),
      answer('B', 20_000),
      open('BB'),
      answer('A', 16_000),
      open('B'),
      answer('A', 15_999),
      open('AA'),
      answer('B', 15_000),
      open('A'),
    ],
  },
  {
    name: 'changes only for one that is sooner by more than a millisecond',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1 },
    steps: [
      answer('A', 3000),
      answer('B', 2000),
      open('B'),
      answer('A', 1000),
      open('B'),
      answer('A', 999),
      open('A'),
      answer('B', 1),
      open('A'),
    ],
  },
  {
    name: 'takes the soonest of the others when its gateway is drained, full, deleted or unknown',
    scheduler: 'lrtt',
    gateways: { A: 1, B: { weight: 1, upper: 3 }, C: 1 },
    steps: [
      answer('A', 30_000),
      answer('B', 20_000),
      answer('C', 29_000),
      open('BBB C'),
      end('B'),
      open('B'),
      edit('C', 0),
      open('A'),
      edit('C', 1),
      remove('A'),
      open('C'),
      end('B'),
      answer('B', 40_000),
      answer('C', 0),
      open('B'),
    ],
  },
  {
    name: 'does not keep the neighbour of a deleted gateway',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      answer('A', 20_000),
      answer('B', 10_000),
      answer('C', 21_000),
      open('B'),
      remove('B'),
      // C is not sooner, and stands where B's predecessor stood.
      open('AA'),
    ],
  },
  {
    name: 'keeps its gateway when others are added or deleted',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1 },
    steps: [
      answer('A', 20_000),
      answer('B', 21_000),
      open('A'),
      insert('C', 1),
      answer('C', 19_000),
      open('A'),
      remove('B'),
      open('A'),
    ],
  },
  {
    name: 'tries nobody when the others are drained or full',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 0, C: { weight: 1, upper: 1 } },
    steps: [answer('A', 20_000), open(`${times(15, 'A')}C`), open(times(32, 'A'))],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'lrtt',
    gateways: {},
    steps: [open('--'), insert('A', 0), open('--'), edit('A', 1), open('AA')],
  },
  {
    name: 'begins to count anew when another scheduler was in its place',
    scheduler: 'lrtt',
    gateways: { A: 1, B: 1 },
    steps: [
      answer('A', 20_000),
      open(times(10, 'A')),
      setScheduler('wrr'),
      setScheduler('lrtt'),
      open(`${times(15, 'A')}B`),
    ],
  },
];
