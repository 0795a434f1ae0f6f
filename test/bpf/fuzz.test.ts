// Damaged packets through every program: each is counted once and passed on, whatever is in it.
// FUZZ_SEED and FUZZ_PACKETS ask for others than the usual ones.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { type Hook, hooks, openBed } from './bed.ts';
import { damage } from './damage.ts';
import { assertExact } from './exact.ts';
import { randomOf } from './random.ts';

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
  assert.equal(marked & 0xff_ffff, mark & 0xff_ffff, what);
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
    // Some have been decided already.
    const mark = random(4) | (random(16) === 0 ? 1 << 24 : 0);
    for (const hook of hooks) runDamaged(hook, bytes, mark);
    if (runs % 1000 === 0)
      for (const hook of hooks.keys()) assert.equal(sum(hook) - before[hook]!, runs, hooks[hook]);
  }
  assertExact(bed);
  const { VERDICT_NEW, VERDICT_TRUNCATED, VERDICT_KNOWN, VERDICT_LOOP } = abi.verdict;
  const [director] = bed.director.maps.verdicts();
  for (const verdict of [VERDICT_NEW, VERDICT_TRUNCATED, VERDICT_KNOWN, VERDICT_LOOP])
    assert.ok(director![verdict]! > 0n, 'the packets are not all of one kind');
});
