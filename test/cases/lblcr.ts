// lblcr: ipvs-semantics §2.5. A server has a set of gateways: the least busy for its weight is taken.
// When that is busy (see lblc.ts), wlc adds one; a set that did not change for a day loses its worst.

import {
  counts,
  edit,
  end,
  insert,
  open,
  pass,
  remove,
  type SchedulerCase,
  type Step,
  setScheduler,
  toServer,
} from './case.ts';

const first = '198.51.100.1';
const second = '198.51.100.2';

/** As many connections to one server. */
const choose = (letters: string, server = first): Step =>
  open(letters, { from: toServer(server, letters.length) });

/** The set is used once in between, so that it is not forgotten. */
const aDay = (letters: string): Step[] => [pass(43200), choose(letters), pass(43201)];

const sets: SchedulerCase[] = [
  {
    name: 'keeps the gateway of a server while it is not busy',
    scheduler: 'lblcr',
    gateways: { A: 100, B: 100 },
    steps: [choose('BBBBBB'), choose('AAA', second), choose('B'), choose('A', second)],
  },
  {
    name: 'adds a gateway when the least busy one is busy, and shares among them',
    scheduler: 'lblcr',
    gateways: { A: 2, B: 1, C: 1 },
    // {C}, {B C}, {A B C}; from there on by their connections, ties to the newest in the set.
    steps: [choose('CC BB AAAAA BC A'.replaceAll(' ', ''))],
  },
  {
    name: 'passes by a full member of the set',
    scheduler: 'lblcr',
    gateways: { A: { weight: 1, upper: 3 }, B: 1 },
    steps: [choose('BBA AA BB'.replaceAll(' ', '')), end('A'), choose('A')],
  },
  {
    name: 'passes by drained members, and takes them again',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    steps: [choose('BBA'), edit('A', 0), choose('BB'), edit('A', 1), choose('AAA')],
  },
  {
    name: 'has a set for each server',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    steps: [choose('BBA'), choose('AA', second), choose('B')],
  },
  {
    name: 'goes by the whole address of a server of IPv6',
    scheduler: 'lblcr',
    family: 6,
    gateways: { A: 100, B: 100 },
    steps: [choose('BBB', '2001:db8::1:0:2'), choose('AAA', '2001:db8::2:0:1')],
  },
];

const days: SchedulerCase[] = [
  {
    name: 'takes the worst out of a set that did not change for a day, of two the newest',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    // {A B}; at the last A both have two: A goes, but takes this one still.
    steps: [choose('BBA'), ...aDay('A'), choose('A'), choose('BBBB')],
  },
  {
    name: 'takes a full one out too',
    scheduler: 'lblcr',
    gateways: { A: 1, B: { weight: 1, upper: 2 } },
    steps: [
      choose('BBA'),
      counts('B', 9, 0),
      ...aDay('A'),
      choose('A'),
      edit('A', 100),
      edit('B', 100),
      counts('A', 90, 0),
      choose('AA'),
    ],
  },
  {
    name: 'takes a deleted one out too',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    steps: [
      choose('BBA'),
      counts('B', 9, 0),
      remove('B'),
      ...aDay('A'),
      choose('A'),
      edit('A', 100),
      insert('B', 100),
      counts('A', 90, 0),
      choose('AA'),
    ],
  },
  {
    name: 'leaves a drained one in, however busy',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    // A, not B, goes out.
    steps: [
      choose('BBA'),
      counts('B', 9, 0),
      edit('B', 0),
      ...aDay('A'),
      choose('A'),
      edit('B', 100),
      choose('BBB'),
    ],
  },
  {
    name: 'keeps a set that changed within the day',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    steps: [choose('BBA'), pass(43200), choose('A'), pass(43000), choose('A'), choose('BAB')],
  },
  {
    name: 'keeps a set of one',
    scheduler: 'lblcr',
    gateways: { A: 100, B: 100 },
    steps: [choose('BB'), ...aDay('B'), choose('BB')],
  },
  {
    name: 'forgets a server a day after its newest connection',
    scheduler: 'lblcr',
    gateways: { A: 100, B: 100 },
    steps: [choose('BB'), pass(43200), pass(43200), choose('AA')],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'passes by a deleted member, and finds it again when it comes back',
    scheduler: 'lblcr',
    gateways: { A: 1, B: 1 },
    steps: [choose('BBA'), remove('A'), choose('BB'), insert('A', 1), choose('AAA')],
  },
  {
    name: 'begins anew when another scheduler was in its place',
    scheduler: 'lblcr',
    gateways: { A: 100, B: 100 },
    steps: [choose('BBB'), setScheduler('wlc'), setScheduler('lblcr'), choose('AAAA')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'lblcr',
    gateways: {},
    steps: [choose('--'), insert('A', 0), choose('--'), edit('A', 1), choose('AA')],
  },
];

export const lblcrCases = [...sets, ...days, ...edits];
