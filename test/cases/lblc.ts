// lblc: ipvs-semantics §2.5. A server keeps its gateway until that is drained, deleted or busy: more
// active connections than weight while another has less than half of its own. wlc chooses the next.

import {
  clients,
  close,
  edit,
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

const servers: SchedulerCase[] = [
  {
    name: 'keeps the gateway of a server (golden)',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [choose('BBBBBB'), choose('AAA', second), choose('B'), choose('A', second)],
  },
  {
    name: 'takes another when it is busy, by wlc, until none is half idle (golden)',
    scheduler: 'lblc',
    gateways: { A: 2, B: 1, C: 1 },
    steps: [choose('CCBBAAAAAA')],
  },
  {
    name: 'goes by the server, not by the client',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [
      open('BBB', { from: clients('10.1.2.1', 3).map((client) => ({ ...client, server: first })) }),
      open('AB', { from: [second, first].flatMap((server) => toServer(server, 1)) }),
    ],
  },
  {
    name: 'knows servers of IPv6 by their whole address',
    scheduler: 'lblc',
    family: 6,
    gateways: { A: 100, B: 100 },
    // Their words xored are the same.
    steps: [
      choose('BBB', '2001:db8::1:0:2'),
      choose('AAA', '2001:db8::2:0:1'),
      choose('B', '2001:db8::1:0:2'),
    ],
  },
  {
    name: 'is never busy with UDP, which is never active here',
    scheduler: 'lblc',
    gateways: { A: 1, B: 1 },
    steps: [open('BBBBB', { from: toServer(first, 5), protocol: 'udp' })],
  },
  {
    name: 'is not busy while no other has less than half of its weight',
    scheduler: 'lblc',
    gateways: { A: 2, B: 1 },
    // A has one of two: not less than half.
    steps: [choose('B'), choose('A', second), choose('BBB')],
  },
  {
    name: 'stays with a gateway that is full, which others do not get',
    scheduler: 'lblc',
    gateways: { A: 100, B: { weight: 100, upper: 2 } },
    steps: [choose('BBBB'), choose('AA', second)],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'moves a server from a drained gateway for good',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [choose('BB'), edit('B', 0), choose('AA'), edit('B', 100), choose('A')],
  },
  {
    name: 'moves a server from a deleted gateway for good',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [choose('BB'), remove('B'), choose('AA'), insert('B', 100), choose('A')],
  },
  {
    name: 'returns to a gateway that came back before it was missed',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [choose('BB'), remove('B'), insert('B', 100), choose('B')],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'lblc',
    gateways: {},
    steps: [choose('--'), insert('A', 0), choose('--'), edit('A', 1), choose('AA')],
  },
  {
    name: 'remembers a server while it is drained, if there is no other',
    scheduler: 'lblc',
    gateways: { A: 100 },
    steps: [choose('A'), edit('A', 0), choose('-'), insert('B', 0), edit('A', 100), choose('A')],
  },
  {
    name: 'forgets a server a day after its newest connection',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [
      choose('BBB'),
      choose('A', second),
      pass(86390),
      choose('B'),
      pass(43200),
      pass(43200),
      choose('AA'),
    ],
  },
  {
    name: 'forgets all servers when another scheduler takes its place',
    scheduler: 'lblc',
    gateways: { A: 100, B: 100 },
    steps: [
      choose('BBB'),
      choose('A', second),
      setScheduler('lblc', []),
      choose('B'),
      setScheduler('rr'),
      setScheduler('lblc'),
      choose('A'),
    ],
  },
  {
    name: 'begins without what lblcr remembered',
    scheduler: 'lblcr',
    gateways: { A: 100, B: 100 },
    steps: [choose('BBB'), setScheduler('lblc'), choose('AA'), close('A'), choose('A')],
  },
];

export const lblcCases = [...servers, ...edits];
