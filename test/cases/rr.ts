// rr: ipvs-semantics §2.1, and the thresholds of §1.3, which all schedulers share.

import {
  close,
  edit,
  end,
  insert,
  open,
  remove,
  type SchedulerCase,
  setScheduler,
} from './case.ts';

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `g${i + 1}`);

const turns: SchedulerCase[] = [
  {
    name: 'takes the gateways in turn, the one added last first',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA CBA C')],
  },
  {
    name: 'knows no weights',
    scheduler: 'rr',
    gateways: { A: 5, B: 1, C: 2147483647 },
    steps: [open('CBA CBA')],
  },
  {
    name: 'serves IPv6 as well',
    scheduler: 'rr',
    family: 6,
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA CBA C')],
  },
  {
    name: 'has nobody to choose in an empty service',
    scheduler: 'rr',
    gateways: {},
    steps: [open('---'), insert('A', 1), open('AA')],
  },
  {
    name: 'gives everything to a single gateway',
    scheduler: 'rr',
    gateways: { A: 1 },
    steps: [open('AAA')],
  },
  {
    name: 'takes each of 64 gateways once in a round',
    scheduler: 'rr',
    gateways: Object.fromEntries(named(64).map((name) => [name, 1])),
    steps: [open([...named(64).reverse(), ...named(64).reverse()])],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'goes round a drained gateway, a deleted and a returned one (golden)',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      open('CBA CBA C'),
      edit('B', 0),
      open('ACAC'),
      remove('C'),
      open('AAAA'),
      insert('C', 1),
      open('CACA'),
    ],
  },
  {
    name: 'chooses nobody while all are drained, and goes on where it stood',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      open('C'),
      edit('A', 0),
      edit('B', 0),
      edit('C', 0),
      open('---'),
      edit('A', 1),
      edit('B', 1),
      edit('C', 1),
      open('BAC'),
    ],
  },
  {
    name: 'keeps its place when a gateway is added',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CB'), insert('D', 1), open('A DCBA D')],
  },
  {
    name: 'begins with the added gateway if nobody was chosen before',
    scheduler: 'rr',
    gateways: { A: 1 },
    steps: [insert('B', 1), open('BABA')],
  },
  {
    name: 'begins with the added gateway if nobody was chosen since rr was set',
    scheduler: 'rr',
    gateways: { A: 1, B: 1 },
    steps: [open('B'), setScheduler('wrr'), setScheduler('rr'), insert('C', 1), open('CBA')],
  },
  {
    name: 'steps back when the last choice is deleted',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CB'), remove('B'), open('ACAC')],
  },
  {
    name: 'steps back to the head when the last choice was the first of the list',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('C'), remove('C'), open('BABA')],
  },
  {
    name: 'keeps its place when a gateway before it is deleted',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CB'), remove('C'), open('ABA')],
  },
  {
    name: 'keeps its place when a gateway behind it is deleted',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1, D: 1 },
    steps: [open('DC'), remove('B'), open('ADCA')],
  },
  {
    name: 'starts at the head when the end of the list, its last choice, is deleted',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA'), remove('A'), open('CBC')],
  },
  {
    name: 'starts at the head after the service had another scheduler',
    scheduler: 'rr',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CB'), setScheduler('wrr'), setScheduler('rr'), open('CBA')],
  },
];

const thresholds: SchedulerCase[] = [
  {
    name: 'refuses at the upper threshold and takes again below three quarters of it',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 4 } },
    steps: [open('AAAA --'), end('A'), open('--'), end('A'), open('AA-')],
  },
  {
    name: 'counts inactive connections for the threshold too',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 2, lower: 1 } },
    steps: [
      open('AA-'),
      close('A'),
      close('A'),
      open('-'),
      end('A'),
      open('-'),
      end('A'),
      open('AA-'),
    ],
  },
  {
    name: 'takes again only below the lower threshold',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 4, lower: 2 } },
    steps: [open('AAAA-'), end('A'), end('A'), open('-'), end('A'), open('AAA-')],
  },
  {
    name: 'rounds three quarters of the upper threshold up',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 5 } },
    steps: [open('AAAAA-'), end('A'), open('-'), end('A'), open('AA-')],
  },
  {
    name: 'takes again from zero on with an upper threshold of 1',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 1 } },
    steps: [open('A-'), end('A'), open('A-')],
  },
  {
    name: 'goes round a full gateway',
    scheduler: 'rr',
    gateways: { A: 1, B: { weight: 1, upper: 2 }, C: 1 },
    steps: [open('CBA CBA CA CA'), end('B'), open('C B A C A')],
  },
  {
    name: 'hears a new threshold at once',
    scheduler: 'rr',
    gateways: { A: { weight: 1, upper: 3 } },
    steps: [
      open('AAA-'),
      // Three connections: neither full at 4, nor below three quarters of it.
      edit('A', { weight: 1, upper: 4 }),
      open('-'),
      edit('A', { weight: 1, upper: 5 }),
      open('AA-'),
      edit('A', 1),
      open('AA'),
      edit('A', { weight: 1, upper: 7 }),
      open('-'),
    ],
  },
];

export const rrCases = [...turns, ...edits, ...thresholds];
