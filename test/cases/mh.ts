// mh: ipvs-semantics §2.8 and the vectors of §2.10. The table and the picks go by the addresses
// of the gateways, so they are named by them here.

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
  type Step,
  setScheduler,
} from './case.ts';

const [A, B, C] = ['10.0.1.1', '10.0.2.1', '10.0.3.1'] as const;
const weights = (a: number, b: number, c: number) => ({ [A]: a, [B]: b, [C]: c });
const twenty = clients('192.168.1.1', 20);

/** 'ACA' -> as many connections, with the names of the gateways. */
const choose = (letters: string, from: Client[] = twenty): Step =>
  open(
    [...letters].map((letter) => ({ A, B, C })[letter] ?? '-'),
    { from },
  );

const equal = 'ACAABCBBCAACCCBBCBCA';
const weighted = 'ACAABCBBCAACAABBCBCA';
const withoutB = 'ACAA-C--CAACCC--C-CA';

/** Their four words xored are 192.168.1.1 and up: they get what those get. */
const fourV6 = [1, 2, 3, 4].map((last) => ({
  address: `2001:db8::e0a9:${(0x0db8 ^ 0x0100 ^ last).toString(16)}`,
  port: 1024,
}));
const gatewaysV6 = Object.fromEntries(
  [1, 2, 3].map((n) => [`2001:db8:1::2a00:${(0x0db8 ^ (n << 8) ^ 1).toString(16)}`, 1]),
);

const places: SchedulerCase[] = [
  {
    name: 'goes by the address of the client (golden)',
    scheduler: 'mh',
    gateways: weights(1, 1, 1),
    steps: [choose(equal), choose(equal)],
  },
  {
    name: 'gives places by weight (golden)',
    scheduler: 'mh',
    gateways: weights(4, 3, 2),
    steps: [choose(weighted)],
  },
  {
    name: 'does not look at connections, servers and ports',
    scheduler: 'mh',
    gateways: weights(1, 1, 1),
    steps: [counts(A, 1000, 1000), choose('AAAAA', ports('192.168.1.1', 30000, 5))],
  },
  {
    name: 'adds the port to the address with mh-port',
    scheduler: 'mh',
    flags: ['mh-port'],
    gateways: weights(1, 1, 1),
    // Address and port add up to the twenty clients' addresses.
    steps: [choose(equal, ports('192.168.1.0', 1, 20))],
  },
  {
    name: 'folds IPv6 addresses, of clients and of gateways',
    scheduler: 'mh',
    family: 6,
    gateways: gatewaysV6,
    steps: [open(v6Choices('ACAA'), { from: fourV6 })],
  },
];

function v6Choices(letters: string): string[] {
  const names = Object.keys(gatewaysV6);
  return [...letters].map((letter) => names['ABC'.indexOf(letter)]!);
}

const refusals: SchedulerCase[] = [
  {
    name: 'refuses the clients of a gateway that is drained, and moves no others',
    scheduler: 'mh',
    gateways: weights(1, 1, 1),
    steps: [edit(B, 0), choose(withoutB), edit(B, 1), choose(equal)],
  },
  {
    name: 'gives a gateway that is added with weight 0 no place',
    scheduler: 'mh',
    gateways: { ...weights(1, 1, 1), '10.0.2.2': 0 },
    steps: [choose(equal)],
  },
  {
    name: 'refuses the clients of a full gateway',
    scheduler: 'mh',
    gateways: { [A]: { weight: 1, upper: 2 }, [B]: 1, [C]: 1 },
    steps: [choose('ACA-', twenty.slice(0, 4)), end(A), choose('AC-', twenty.slice(0, 3))],
  },
  {
    name: 'finds the clients of a drained gateway another one with mh-fallback',
    scheduler: 'mh',
    flags: ['mh-fallback'],
    gateways: weights(1, 1, 1),
    steps: [edit(B, 0), choose('ACAACCAACAACCCACCACA')],
  },
  {
    name: 'has nobody to choose in an empty service, whatever the flags',
    scheduler: 'mh',
    gateways: {},
    steps: [choose('-'.repeat(20)), setScheduler('mh', ['mh-fallback']), choose('-'.repeat(20))],
  },
  {
    name: 'refuses all when all were added with weight 0, or are drained',
    scheduler: 'mh',
    flags: ['mh-fallback'],
    gateways: weights(0, 0, 0),
    steps: [
      choose('-'.repeat(20)),
      edit(A, 1),
      choose('A'.repeat(20)),
      edit(A, 0),
      choose('-'.repeat(20)),
    ],
  },
];

const edits: SchedulerCase[] = [
  {
    name: 'follows an edit of the weights',
    scheduler: 'mh',
    gateways: weights(1, 1, 1),
    steps: [choose(equal), edit(A, 4), edit(B, 3), edit(C, 2), choose(weighted)],
  },
  {
    name: 'makes room for a gateway that is added, and for the others when it goes',
    scheduler: 'mh',
    gateways: { [A]: 1, [B]: 1 },
    steps: [insert(C, 1), choose(equal), remove(C), insert(C, 1), choose(equal)],
  },
  {
    name: 'moves hardly anybody but the clients of a gateway that is deleted',
    scheduler: 'mh',
    gateways: weights(1, 1, 1),
    steps: [choose(equal), remove(B), choose('ACAACCCACAACCCCCCACA')],
  },
  {
    name: 'has its table when the scheduler comes, and again when it comes back',
    scheduler: 'rr',
    gateways: weights(1, 1, 1),
    steps: [
      open([C, B]),
      setScheduler('mh'),
      choose(equal),
      setScheduler('rr'),
      edit(A, 4),
      edit(B, 3),
      edit(C, 2),
      setScheduler('mh'),
      choose(weighted),
    ],
  },
];

export const mhCases = [...places, ...refusals, ...edits];
