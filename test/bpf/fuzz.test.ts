// Damaged packets through every program: each is counted once and passed on, whatever is in it.
// FUZZ_SEED and FUZZ_PACKETS ask for others than the usual ones.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { type Hook, hooks, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, server4, server6 } from './flow.ts';
import { packet } from './packet.ts';
import { passedOn } from './passed-on-cases.ts';
import { type Random, randomOf } from './random.ts';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const packets = Number(process.env.FUZZ_PACKETS ?? 20_000);

const bed = openBed();
after(() => bed.close());
for (const family of [4, 6] as const) {
  bed.setService({ family, scheduler: 'wlc', gateways: [[1], [2]] });
  bed.setService({ fwmark: 2, family, persistence: 60, gateways: [[1], [2, { upper: 9 }]] });
}

// Nothing ends while its counters are compared.
bed.setSettings({
  timeoutS: Array<number>(abi.connState.CONN_STATES).fill(600),
  ...{ icmpTimeoutS: 600, otherTimeoutS: 600 },
});

const flows = [client4, client6].flatMap((client) =>
  (['tcp', 'udp', 'icmp', 'gre'] as const).map((protocol) => new Flow({ client, protocol })),
);
const seeds: Buffer[] = [
  ...passedOn.map((each) => each.packet),
  ...flows.flatMap((flow) => [
    ...['S', 'A', 'FA', 'R'].map((flags) => flow.up(flags).payload(30)),
    ...['SA', 'A', 'FA', 'RA'].map((flags) => flow.down(flags).payload(30)),
  ]),
  ...[client4, client6].flatMap((client) => {
    const flow = new Flow({ client, protocol: 'sctp' });
    return [
      ...['INIT', 'COOKIE-ECHO+ABORT', 'DATA', 'SHUTDOWN-COMPLETE'].map((name) => flow.up(name)),
      ...['INIT-ACK', 'COOKIE-ACK+SACK', 'SHUTDOWN', 'ABORT'].map((name) => flow.down(name)),
    ];
  }),
  ...(
    [
      [client6, server6],
      [server6, client6],
    ] as const
  ).map(([src, dst]) =>
    packet()
      .ipv6({ src, dst })
      .extension('hopByHop')
      .extension('routing', 2)
      .fragment()
      .extension('destinationOptions')
      .tcp({ sport: 4000, dport: 80, flags: 'S' }),
  ),
  packet().ipv4({ src: client4, dst: server4, options: 40 }).udp({ sport: 4000, dport: 80 }),
].map(({ bytes }) => bytes);

/** Values that headers compare with. */
const edges = [0, 1, 4, 5, 6, 8, 15, 17, 43, 44, 58, 60, 127, 128, 129, 132, 254, 255];
const pick = <T>(random: Random, from: T[]): T => from[random(from.length)]!;

/** One to four changes anywhere behind the MAC addresses, then perhaps another length. */
function damage(random: Random): Buffer {
  const bytes = Buffer.from(pick(random, seeds));
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = 12 + random(bytes.length - 12);
    if (random(2) === 0) bytes[at] = pick(random, edges);
    else bytes[at] = bytes[at]! ^ (1 << random(8));
  }
  if (random(3) > 0) return bytes;
  return random(2) === 0
    ? bytes.subarray(0, 14 + random(bytes.length - 14))
    : Buffer.concat([bytes, Buffer.alloc(random(64), random(256))]);
}

/** Newer kernels run no packet whose IP header is cut short. */
function isRunnable(bytes: Buffer): boolean {
  const type = bytes.readUInt16BE(12);
  return bytes.length >= 14 + (type === 0x0800 ? 20 : type === 0x86dd ? 40 : 1);
}

const sum = (hook: number): number =>
  Number(bed.director.maps.verdicts()[hook]!.reduce((a, b) => a + b, 0n));

function runDamaged(hook: Hook, bytes: Buffer, mark: number): void {
  const what = `${hook}, mark ${mark}: ${bytes.toString('hex')}`;
  const { retval, mark: marked } = bed.programs[hook].run(bytes, { mark });
  assert.equal(retval, hook === 'director' ? 128 : -1, what);
  assert.equal(marked & 0xff_ffff, mark, what);
  if (hook === 'director') assert.notEqual(bed.gatewayOf(marked), '-', what);
}

test(`${packets} damaged packets are each counted once and passed on (seed ${seed})`, () => {
  const random = randomOf(seed);
  const before = hooks.map((_, hook) => sum(hook));
  let runs = 0;
  while (runs < packets) {
    const bytes = damage(random);
    if (!isRunnable(bytes)) continue;
    runs++;
    const mark = random(4);
    for (const hook of hooks) runDamaged(hook, bytes, mark);
    if (runs % 1000 === 0)
      for (const hook of hooks.keys()) assert.equal(sum(hook) - before[hook]!, runs, hooks[hook]);
  }
  assertExact(bed);
  const { VERDICT_NEW, VERDICT_TRUNCATED, VERDICT_KNOWN } = abi.verdict;
  const [director] = bed.director.maps.verdicts();
  for (const verdict of [VERDICT_NEW, VERDICT_TRUNCATED, VERDICT_KNOWN])
    assert.ok(director![verdict]! > 0n, 'the packets are not all of one kind');
});
