// wrr: ipvs-semantics §2.2. Passes over the list; each takes whoever's weight reaches `current`,
// which falls from the highest weight by their greatest common divisor. Since gateways are added
// one by one, `current` mostly starts at its lowest: the first pass takes everyone.

import {
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
const names = Array.from({ length: 64 }, (_, i) => `g${i + 1}`);

const passes: SchedulerCase[] = [
  {
    name: 'takes weights 4, 3, 2 in passes, the newest first (golden)',
    scheduler: 'wrr',
    gateways: { A: 4, B: 3, C: 2 },
    steps: [open('CBAABACBA CBAABACBA')],
  },
  {
    name: 'takes weights 2, 1 in passes (golden)',
    scheduler: 'wrr',
    gateways: { A: 2, B: 1 },
    steps: [open('BAA BAA BAA')],
  },
  {
    name: 'takes weights 6, 4, 2 as 3, 2, 1, and goes on when the heaviest is drained (golden)',
    scheduler: 'wrr',
    gateways: { A: 6, B: 4, C: 2 },
    steps: [open('CBAABA CBAABA'), edit('A', 0), open('BCB BCB')],
  },
  {
    name: 'takes equal weights in turn, whatever they are',
    scheduler: 'wrr',
    gateways: { A: heaviest, B: heaviest, C: heaviest },
    steps: [open('CBA CBA CBA')],
  },
  {
    name: 'serves IPv6 as well',
    scheduler: 'wrr',
    family: 6,
    gateways: { A: 2, B: 1 },
    steps: [open('BAA BAA')],
  },
  {
    name: 'starts with the heaviest if it is set when the gateways are there',
    scheduler: 'wrr',
    gateways: { A: 4, B: 3, C: 2 },
    steps: [setScheduler('rr'), setScheduler('wrr'), open('ABACBACBA ABACBACBA')],
  },
  {
    name: 'has nobody to choose in an empty service',
    scheduler: 'wrr',
    gateways: {},
    steps: [open('---'), insert('A', 3), open('AAA')],
  },
  {
    name: 'gives everything to a single gateway, however heavy',
    scheduler: 'wrr',
    gateways: { A: heaviest },
    steps: [open('AAAA')],
  },
  {
    name: 'takes each of 64 gateways of weight 1 once in a round',
    scheduler: 'wrr',
    gateways: Object.fromEntries(names.map((name) => [name, 1])),
    steps: [open([...names.toReversed(), ...names.toReversed()])],
  },
  {
    name: 'takes a heavy one of 64 gateways as often as it is heavy',
    scheduler: 'wrr',
    gateways: { ...Object.fromEntries(names.map((name) => [name, 1])), g1: 4 },
    steps: [open([...names.toReversed(), 'g1', 'g1', 'g1', 'g64'])],
  },
];

const skips: SchedulerCase[] = [
  {
    name: 'goes on with the heavy one through passes that reach nobody else',
    scheduler: 'wrr',
    gateways: { A: heaviest, B: 1 },
    steps: [open('BAAAAAAAAA')],
  },
  {
    name: 'skips the passes that reach nobody when the heaviest is full',
    scheduler: 'wrr',
    gateways: { A: { weight: heaviest, upper: 1 }, B: 1, C: 2 },
    // The first pass; then nobody from 2147483647 down to 3.
    steps: [open('CBA C CB C CB')],
  },
  {
    name: 'skips by whole steps when the divisor is not 1',
    scheduler: 'wrr',
    gateways: { A: { weight: 3 * 2 ** 29, upper: 1 }, B: 2 ** 29, C: 2 ** 30 },
    steps: [open('CBA C CB C CB')],
  },
  {
    name: 'goes without the heaviest while it is full, and takes it again',
    scheduler: 'wrr',
    gateways: { A: { weight: 4, upper: 2, lower: 2 }, B: 3, C: 2 },
    // The weight to reach is 1, 4, 3, 2, 1, 4 (nobody), 3: amid this pass A comes back.
    steps: [open('CBA A B CB CB B'), end('A'), open('A CB CB B')],
  },
  {
    name: 'skips a pass that reaches none but a full gateway',
    scheduler: 'wrr',
    gateways: { A: 9, B: { weight: 5, upper: 1 }, C: 1 },
    steps: [open('CBA AAAA AAAA CA')],
  },
  {
    name: 'chooses nobody while all are full',
    scheduler: 'wrr',
    gateways: { A: { weight: 2, upper: 2 }, B: { weight: 1, upper: 1 } },
    steps: [open('BAA ---'), end('B'), open('B --')],
  },
  {
    name: 'begins with the heaviest after nobody could be chosen',
    scheduler: 'wrr',
    gateways: {
      A: { weight: 3, upper: 1 },
      B: { weight: 2, upper: 2 },
      C: { weight: 1, upper: 1 },
    },
    steps: [open('CBAB ---'), end('A'), end('B'), end('C'), open('ABC -')],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'chooses nobody while all are drained',
    scheduler: 'wrr',
    gateways: { A: 0, B: 0 },
    steps: [open('--'), edit('A', 3), open('AAA'), edit('A', 0), open('--')],
  },
  {
    name: 'starts the pass anew at any edit, with the same weight to reach',
    scheduler: 'wrr',
    gateways: { A: 4, B: 3, C: 2 },
    // After CBAAB the pass of 3 is amid: it starts over, and B comes a second time.
    steps: [open('CBAAB'), edit('A', { weight: 4, upper: 100 }), open('BACBA')],
  },
  {
    name: 'lowers what must be reached when the heaviest goes',
    scheduler: 'wrr',
    gateways: { A: 9, B: 2, C: 1 },
    steps: [open('CBA A'), remove('A'), open('B CB B CB')],
  },
  {
    name: 'lets an added gateway in at once',
    scheduler: 'wrr',
    gateways: { A: 2, B: 1 },
    steps: [open('BAA'), insert('C', 2), open('CA CBA CA')],
  },
  {
    name: 'keeps what must be reached when a divisor of 1 comes',
    scheduler: 'wrr',
    gateways: { A: 6, B: 4 },
    // 1 | 5 | 3 of the divisor 2; with C it stays at 3 and falls by 1.
    steps: [open('BA A B'), insert('C', 3), open('CBA CBA CBA A A BA CBA')],
  },
  {
    name: 'rounds what must be reached to the new divisor',
    scheduler: 'wrr',
    gateways: { A: 6, B: 4, C: 3 },
    // With C the passes are 1 | 6 5 4 3 …; without it 4 becomes 5 and the next ones 3, 1.
    steps: [open('CBA A A B'), remove('C'), open('A BA BA A BA BA')],
  },
  {
    name: 'follows an edit of each weight',
    scheduler: 'wrr',
    gateways: { A: 1, B: 1 },
    steps: [open('BA'), edit('A', 3), edit('B', 2), open('BA A BA BA A')],
  },
  {
    name: 'does not look at connections',
    scheduler: 'wrr',
    gateways: { A: 2, B: 1 },
    steps: [counts('A', 1000, 1000), open('BAA BAA')],
  },
];

export const wrrCases = [...passes, ...skips, ...edits];
