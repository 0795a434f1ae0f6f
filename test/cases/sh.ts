// sh: ipvs-semantics §2.7 and the vectors of §2.10. 256 buckets are dealt out along the list from
// its head, `weight` in a row to each gateway, at least one; a client's address is its bucket:
// 192.168.1.1 to .5 have 136, 234, 76, 174 and 16.

import {
  type Client,
  clients,
  counts,
  edit,
  end,
  insert,
  open,
  ports,
  remove,
  type SchedulerCase,
  setScheduler,
} from './case.ts';

const heaviest = 2 ** 31 - 1;
const client = (last: number): Client => ({ address: `192.168.1.${last}`, port: 1024 });
const five = clients('192.168.1.1', 5);
const twenty = clients('192.168.1.1', 20);

/** Their four words xored are 192.168.1.1 and up: they get what those get. */
const fiveV6 = [1, 2, 3, 4, 5].map((last) => ({
  address: `2001:db8::e0a9:${(0x0db8 ^ 0x0100 ^ last).toString(16)}`,
  port: 1024,
}));

const buckets: SchedulerCase[] = [
  {
    name: 'goes by the address of the client (golden)',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('BCBCBABABACACACBCBCB', { from: twenty })],
  },
  {
    name: 'gives a client the same gateway again',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('BCBCB', { from: five }), open('BCBCB', { from: five })],
  },
  {
    name: 'does not look at ports',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('BBBBB', { from: ports('192.168.1.1', 30000, 5) })],
  },
  {
    name: 'adds the port to the address with sh-port (golden)',
    scheduler: 'sh',
    flags: ['sh-port'],
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('ABABACACACBCBCBABACA', { from: ports('192.168.1.1', 30000, 20) })],
  },
  {
    name: 'folds an IPv6 address',
    scheduler: 'sh',
    family: 6,
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('BCBCB', { from: fiveV6 })],
  },
  {
    name: 'does not look at connections',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [counts('B', 1000, 1000), open('BCBCB', { from: five })],
  },
  {
    name: 'gives everything to a single gateway',
    scheduler: 'sh',
    gateways: { A: 1 },
    steps: [open('AAAAA', { from: five })],
  },
  {
    name: 'has nobody to choose in an empty service, not even with sh-fallback',
    scheduler: 'sh',
    gateways: {},
    steps: [open('--'), setScheduler('sh', ['sh-fallback']), open('--')],
  },
  {
    name: 'deals four buckets to each of 64 gateways',
    scheduler: 'sh',
    gateways: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`g${i + 1}`, 1])),
    // Places 136 % 64, 234 % 64 … of a list that begins with g64.
    steps: [open(['g56', 'g22', 'g52', 'g18', 'g48'], { from: five })],
  },
  {
    name: 'leaves nothing to those beyond 256 buckets',
    scheduler: 'sh',
    gateways: { A: 1, B: 100, C: 200 },
    steps: [open('CBCCC', { from: five })],
  },
  {
    name: 'gives all to the newest if it is heavy enough',
    scheduler: 'sh',
    gateways: { A: heaviest, B: 256 },
    steps: [open('BBBBB', { from: five }), edit('B', 100), open('AABAB', { from: five })],
  },
  {
    name: 'bears the heaviest weights',
    scheduler: 'sh',
    gateways: { A: heaviest, B: heaviest, C: 17 },
    steps: [open('BBBBC', { from: five })],
  },
];

const refusals: SchedulerCase[] = [
  {
    name: 'refuses the clients of a drained gateway, which keeps one bucket (golden)',
    scheduler: 'sh',
    gateways: { A: 2, B: 0, C: 1 },
    steps: [open('CACAC-A-ACACAC-A-A-A', { from: twenty })],
  },
  {
    name: 'finds those clients another gateway with sh-fallback (golden)',
    scheduler: 'sh',
    flags: ['sh-fallback'],
    gateways: { A: 2, B: 0, C: 1 },
    steps: [open('CACACAAAACACACAAAAAA', { from: twenty })],
  },
  {
    name: 'refuses all when all are drained',
    scheduler: 'sh',
    gateways: { A: 0, B: 0, C: 0 },
    steps: [open('-----', { from: five })],
  },
  {
    name: 'finds nobody with sh-fallback either when all are drained',
    scheduler: 'sh',
    flags: ['sh-fallback'],
    gateways: { A: 0, B: 0, C: 0 },
    steps: [open('-----', { from: five })],
  },
  {
    name: 'looks for the fallback at twice the bucket, and goes on over the end',
    scheduler: 'sh',
    flags: ['sh-fallback'],
    gateways: { A: 0, B: 0, C: 126, D: 128 },
    // D has 0 to 127, C 128 to 253, B 254, A 255. The clients have 254 and 255.
    steps: [open('CD', { from: [client(31), client(175)] })],
  },
  {
    name: 'refuses the clients of a full gateway',
    scheduler: 'sh',
    gateways: { A: 1, B: { weight: 1, upper: 2 }, C: 1 },
    steps: [open('BCBC-', { from: five }), end('B'), open('BC-C-', { from: five })],
  },
  {
    name: 'finds the clients of a full gateway another one with sh-fallback',
    scheduler: 'sh',
    flags: ['sh-fallback'],
    gateways: { A: 1, B: { weight: 1, upper: 2 }, C: 1 },
    // Bucket 16, place 16 % 3 = 1, is B's; 32 % 3 = 2 is A's.
    steps: [open('BCBCA', { from: five })],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'deals anew when a weight is edited',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [edit('B', 0), edit('A', 2), open('CACAC-A-ACACAC-A-A-A', { from: twenty })],
  },
  {
    name: 'deals anew when a gateway is added',
    scheduler: 'sh',
    gateways: { A: 1, B: 1 },
    // Even buckets are B's.
    steps: [open('BBBBB', { from: five }), insert('C', 1), open('BCBCB', { from: five })],
  },
  {
    name: 'deals anew when a gateway is deleted',
    scheduler: 'sh',
    gateways: { A: 1, B: 1, C: 1 },
    steps: [open('BCBCB', { from: five }), remove('B'), open('CCCCC', { from: five })],
  },
  {
    name: 'hears new flags at once',
    scheduler: 'sh',
    gateways: { A: 2, B: 0, C: 1 },
    steps: [
      open('CACAC-A-ACACAC-A-A-A', { from: twenty }),
      setScheduler('sh', ['sh-fallback']),
      open('CACACAAAACACACAAAAAA', { from: twenty }),
    ],
  },
];

export const shCases = [...buckets, ...refusals, ...edits];
