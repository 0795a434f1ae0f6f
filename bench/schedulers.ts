// What a scheduler's decision costs, how fair 10,000 of them are, and whom mh moves when a gateway goes.

import { Drive } from './drive.ts';
import { insist, median, type Row, toRow } from './rows.ts';

const costly = 3000;
const rounds = 7;
const decisions = 100_000;
const connections = 10_000;
/** Of clients, and of servers for the schedulers that look at these. */
const many = 1000;

const schedulers = 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh lbw lrtt'.split(' ');

function measureDecision(drive: Drive, scheduler: string, gateways: number): Row {
  // A weight that no count of connections reaches keeps ovf choosing.
  drive.setService({ scheduler, gateways, persistence: 0, weights: [1, 2, 3, 4] });
  const load = { count: decisions, clients: many, servers: many, keeps: false };
  const once = (): number => {
    const rest = drive.decide({ ...load, asks: false });
    return (drive.decide({ ...load, asks: true }) - rest) / decisions;
  };
  const value = median(Array.from({ length: rounds }, () => insist(once)));
  const name = `decision of ${scheduler} over ${gateways}`;
  return toRow({ name, value, unit: 'ns', ...(gateways === 64 ? { aim: costly } : {}) });
}

/** One server, whose connections all stay: lblcr's set grows until it has every gateway. */
function measureBusy(drive: Drive, scheduler: string): Row {
  drive.clearTable();
  drive.setService({ scheduler, gateways: 64, persistence: 0, weights: [1, 2, 3, 4] });
  const load = { count: decisions, clients: many, servers: 1, keeps: true };
  const once = (): number => {
    const rest = drive.decide({ ...load, asks: false });
    return (drive.decide({ ...load, asks: true }) - rest) / decisions;
  };
  const value = median(Array.from({ length: rounds }, () => insist(once)));
  drive.clearTable();
  const name = `decision of ${scheduler} over 64, one server, connections stay`;
  return toRow({ name, value, unit: 'ns', aim: costly });
}

/** How many each gateway got of connections that stay open, the first gateway first. */
function countPicks(drive: Drive, slots: number[]): number[] {
  const picks = drive.picks(connections);
  return slots.map((slot) => picks.filter((pick) => pick === slot).length);
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Pearson's: 0 is exactly fair; for four gateways chance alone is beyond 16.27 once in a thousand. */
function chiSquare(counts: number[], weights: number[]): number {
  return sum(
    counts.map((count, i) => {
      const expected = (sum(counts) * (weights[i] ?? 0)) / sum(weights);
      return (count - expected) ** 2 / expected;
    }),
  );
}
const chance = 16.27;

/** What each is fair to: the weights, or all gateways alike. fo, ovf and lrtt do not share out. */
const fairTo: Record<string, number[]> = {
  ...Object.fromEntries('rr lc dh lbw'.split(' ').map((name) => [name, [1, 1, 1, 1]])),
  ...Object.fromEntries(
    'wrr wlc lblc lblcr sh sed nq mh'.split(' ').map((name) => [name, [1, 2, 3, 4]]),
  ),
};

function measureFairness(drive: Drive, scheduler: string): Row {
  drive.clearTable();
  const weights = [1, 2, 3, 4];
  const slots = drive.setService({ scheduler, gateways: 4, persistence: 0, weights });
  const load = { count: connections, clients: connections, servers: connections };
  drive.decide({ ...load, keeps: true, asks: true });
  const counts = countPicks(drive, slots);
  const to = fairTo[scheduler] ?? [];
  const name = `fairness of ${scheduler}: ${counts.join('/')} of ${to.join(':')}, chi-square`;
  return toRow({ name, value: chiSquare(counts, to), unit: '', aim: chance });
}

/** The part of all clients that another gateway gets when one of 16 is deleted. */
function measureMoves(drive: Drive): Row[] {
  const load = { count: connections, clients: connections, servers: 1, keeps: false, asks: true };
  const slots = drive.setService({ scheduler: 'mh', gateways: 16, persistence: 0 });
  drive.decide(load);
  const before = drive.picks(connections);
  drive.removeGateway(6);
  drive.decide(load);
  const after = drive.picks(connections);
  const moved = after.filter((slot, i) => slot !== before[i]).length / connections;
  const strangers = after.filter((slot, i) => slot !== before[i] && before[i] !== slots[5]).length;
  const share = 1 / 16;
  return [
    toRow({
      name: 'mh: clients that move when one of 16 gateways goes',
      value: moved,
      unit: 'of 1',
      ...{ baseline: share, baselineName: "the gateway's share", aim: 1.5, aimOf: 'ratio' },
    }),
    toRow({
      name: 'mh: those among them whose gateway stays',
      value: strangers / connections,
      unit: 'of 1',
    }),
  ];
}

export function measureSchedulers(): Row[] {
  const drive = new Drive();
  try {
    drive.makeTable();
    return [
      ...schedulers.flatMap((name) => [4, 64].map((n) => measureDecision(drive, name, n))),
      ...['lblc', 'lblcr'].map((name) => measureBusy(drive, name)),
      ...Object.keys(fairTo).map((name) => measureFairness(drive, name)),
      ...measureMoves(drive),
    ];
  } finally {
    drive.close();
  }
}
