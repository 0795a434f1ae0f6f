// dh: ipvs-semantics §2.6 and the vectors of §2.10. 256 buckets are dealt out along the list from its
// head, one each; a server's address is its bucket: 198.51.100.1 to .3 have 96, 194 and 35.

import {
  clients,
  counts,
  edit,
  end,
  insert,
  open,
  ports,
  remove,
  type SchedulerCase,
  toServer,
  toServers,
} from './case.ts';

const three = toServers('198.51.100.1', 3);
const twenty = toServers('198.51.100.1', 20);

/** Their four words xored are 198.51.100.1 and up: they get what those get. */
const threeV6 = [1, 2, 3].flatMap((last) =>
  toServers(`2001:db8::e632:${(0x0db8 ^ 0x6400 ^ last).toString(16)}`),
);

export const dhCases: SchedulerCase[] = [
  {
    name: 'goes by the address of the server, whatever the weights (golden)',
    scheduler: 'dh',
    gateways: { A: 1, B: 5, C: 1 },
    steps: [open('CAABCBCCABACACACBCBC', { from: twenty })],
  },
  {
    name: 'does not look at clients and their ports',
    scheduler: 'dh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [
      open('AAAAA', {
        from: clients('10.1.2.1', 5).map((c) => ({ ...c, server: '198.51.100.2' })),
      }),
      open('CCC', {
        from: ports('10.1.2.9', 100, 3).map((c) => ({ ...c, server: '198.51.100.1' })),
      }),
    ],
  },
  {
    name: 'folds an IPv6 address',
    scheduler: 'dh',
    family: 6,
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('CAA', { from: threeV6 })],
  },
  {
    name: 'does not look at connections',
    scheduler: 'dh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [counts('C', 1000, 1000), open('CAA', { from: three })],
  },
  {
    name: 'refuses the servers of a drained gateway, which keeps its share',
    scheduler: 'dh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [edit('A', 0), open('C--', { from: three }), edit('A', 7), open('CAA', { from: three })],
  },
  {
    name: 'gives a gateway that is added with weight 0 a share too',
    scheduler: 'dh',
    gateways: { A: 0, B: 1, C: 1 },
    steps: [open('C--', { from: three })],
  },
  {
    name: 'refuses the servers of a full gateway',
    scheduler: 'dh',
    gateways: { A: { weight: 1, upper: 2 }, B: 1, C: 1 },
    steps: [
      open('AA-', { from: toServer('198.51.100.2', 3) }),
      end('A'),
      open('A-', { from: toServer('198.51.100.2', 2) }),
    ],
  },
  {
    name: 'has nobody to choose in an empty service, nor when all are drained',
    scheduler: 'dh',
    gateways: {},
    steps: [open('---', { from: three }), insert('A', 0), open('---', { from: three })],
  },
  {
    name: 'deals anew when a gateway is added or deleted',
    scheduler: 'dh',
    gateways: { A: 1, B: 1 },
    // Even buckets are the head's.
    steps: [
      open('BBA', { from: three }),
      insert('C', 1),
      open('CAA', { from: three }),
      remove('B'),
      open('CCA', { from: three }),
    ],
  },
  {
    name: 'deals four buckets to each of 64 gateways',
    scheduler: 'dh',
    gateways: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`g${i + 1}`, 1])),
    // Places 96 % 64, 194 % 64 and 35 of a list that begins with g64.
    steps: [open(['g32', 'g62', 'g29'], { from: three })],
  },
];
