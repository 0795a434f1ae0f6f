// lc and wlc: ipvs-semantics §2.3. 256 * active + inactive, for wlc in proportion to the weight;
// a tie goes to the gateway added last.

import { close, counts, edit, end, insert, open, remove, type SchedulerCase } from './case.ts';

const heaviest = 2 ** 31 - 1;
const names = Array.from({ length: 64 }, (_, i) => `g${i + 1}`);

const lc: SchedulerCase[] = [
  {
    name: 'takes the gateway with the fewest connections, the newest of equals (golden)',
    scheduler: 'lc',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA CBA')],
  },
  {
    name: 'knows no weights but 0',
    scheduler: 'lc',
    gateways: { A: 5, B: 0, C: 1, D: heaviest },
    steps: [open('DCA DCA')],
  },
  {
    name: 'counts an active connection as 256 inactive ones',
    scheduler: 'lc',
    gateways: { A: 1, B: 1 },
    steps: [
      counts('A', 1, 0),
      counts('B', 0, 255),
      open('BA'),
      counts('A', 1, 0),
      counts('B', 0, 256),
      open('BA'),
      counts('A', 1, 0),
      counts('B', 0, 257),
      open('AB'),
    ],
  },
  {
    name: 'returns to a gateway whose connections close',
    scheduler: 'lc',
    gateways: { A: 1, B: 1 },
    // Loads of A and B: 1, 256; 257, 256; 257, 512; 257, 256; 257, 512.
    steps: [open('BA'), close('A'), open('A'), open('B'), end('B'), open('BA')],
  },
  {
    name: 'goes round drained gateways, and has nobody when all are',
    scheduler: 'lc',
    gateways: { A: 1, B: 0 },
    steps: [open('AA'), edit('A', 0), open('--'), edit('B', 1), open('BB')],
  },
  {
    name: 'goes round full gateways, and has nobody when all are',
    scheduler: 'lc',
    gateways: { A: { weight: 1, upper: 1 }, B: { weight: 1, upper: 2 } },
    steps: [open('BAB--'), end('A'), open('A-')],
  },
  {
    name: 'has nobody to choose in an empty service',
    scheduler: 'lc',
    gateways: {},
    steps: [open('--'), insert('A', 1), open('AA'), remove('A'), open('-')],
  },
  {
    name: 'spreads over 64 gateways evenly',
    scheduler: 'lc',
    gateways: Object.fromEntries(names.map((name) => [name, 1])),
    steps: [open([...names.toReversed(), ...names.toReversed()])],
  },
];

const wlc: SchedulerCase[] = [
  {
    name: 'serves equal weights as lc does (golden)',
    scheduler: 'wlc',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA CBA')],
  },
  {
    name: 'begins with the newest and goes by the weights 2, 1 (golden)',
    scheduler: 'wlc',
    gateways: { A: 2, B: 1 },
    steps: [open('BAA BAA')],
  },
  {
    name: 'goes by the weights 4, 3, 2 (golden)',
    scheduler: 'wlc',
    gateways: { A: 4, B: 3, C: 2 },
    steps: [open('CBAABCABACBA')],
  },
  {
    name: 'goes by the weights for UDP, which is inactive (golden)',
    scheduler: 'wlc',
    gateways: { A: 2, B: 1 },
    steps: [open('BAA BAA', { protocol: 'udp' })],
  },
  {
    name: 'serves IPv6 as well',
    scheduler: 'wlc',
    family: 6,
    gateways: { A: 2, B: 1 },
    steps: [open('BAA BAA')],
  },
  {
    name: 'gives the idle newest the first connection, however light',
    scheduler: 'wlc',
    gateways: { A: heaviest, B: 1 },
    steps: [open('BAAAA')],
  },
  {
    name: 'compares exactly where the products need 59 bits',
    scheduler: 'wlc',
    gateways: { A: heaviest, B: heaviest - 1 },
    steps: [
      // The same load in proportion: a tie. One connection more decides.
      counts('A', 0, heaviest),
      counts('B', 0, heaviest - 1),
      open('B', { protocol: 'udp' }),
      open('A', { protocol: 'udp' }),
      counts('A', 1_000_000, 0),
      counts('B', 1_000_000, 0),
      open('A'),
    ],
  },
  {
    name: 'follows an edit of the weight',
    scheduler: 'wlc',
    gateways: { A: 1, B: 1 },
    steps: [open('BA BA'), edit('A', 3), open('A A A A B A A A')],
  },
  {
    name: 'fills an added gateway first',
    scheduler: 'wlc',
    gateways: { A: 1, B: 1 },
    steps: [open('BA BA'), insert('C', 1), open('CC CBA')],
  },
  {
    name: 'forgets a deleted gateway',
    scheduler: 'wlc',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CBA'), remove('B'), open('CA CA')],
  },
  {
    name: 'goes round a drained gateway though it is idle',
    scheduler: 'wlc',
    gateways: { A: 2, B: 1, C: 3 },
    steps: [edit('C', 0), open('BAA BAA')],
  },
  {
    name: 'goes round a full gateway though it is the best',
    scheduler: 'wlc',
    gateways: { A: { weight: 100, upper: 2 }, B: 1 },
    steps: [open('BAA BB'), end('A'), open('A B')],
  },
  {
    name: 'has nobody when all are drained',
    scheduler: 'wlc',
    gateways: { A: 0, B: 0, C: 0 },
    steps: [open('---')],
  },
  {
    name: 'has nobody to choose in an empty service',
    scheduler: 'wlc',
    gateways: {},
    steps: [open('-'), insert('A', 7), open('AA')],
  },
];

export const lcCases = [...lc, ...wlc];
