// Damaged packets on real links, where the kernel takes VLAN tags off and lets packets through that
// end within their IP header, and on links without a link header: each is counted once and passed
// on. FUZZ_SEED asks for others than the usual ones.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { Program } from '../../src/kernel/program.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { type Hook, hooks, openBed } from './bed.ts';
import { damage } from './damage.ts';
import { assertExact } from './exact.ts';
import { FrameSender, wires } from './namespace.ts';
import { mac } from './packet.ts';
import { randomOf } from './random.ts';
import { lacksTun, Tun } from './tun.ts';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const packets = 3000;

const bed = openBed();
const sender = new FrameSender();
after(() => {
  sender.close();
  bed.close();
});
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
afterEach(() => assertExact(bed));

// What the kernel answers to them would come in again at another link's end.
const silence = `table inet silence {
  chain output { type filter hook output priority 0; policy drop; }
  chain forward { type filter hook forward priority 0; policy drop; }
}`;
before(() => run(['nft', '-f', '-'], { input: silence }));

const { VERDICT_TRUNCATED, VERDICT_NOT_IP, VERDICT_UNKNOWN, VERDICT_TAGGED } = abi.verdict;

const counts = (hook: Hook): number[] =>
  bed.director.maps.verdicts()[hooks.indexOf(hook)]!.map(Number);
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Every packet that `send` takes is counted once, and these verdicts are among them. */
async function assertCounted(
  hook: Hook,
  send: (bytes: Buffer) => boolean,
  verdicts: number[],
): Promise<void> {
  const random = randomOf(seed);
  const before = counts(hook);
  let sent = 0;
  while (sent < packets) {
    if (send(damage(random))) sent++;
    // A link's queue is not endless.
    if (sent % 100 === 0)
      await waitUntil('all counted', () => sum(counts(hook)) - sum(before) >= sent);
  }
  const now = counts(hook);
  assert.equal(sum(now) - sum(before), packets);
  for (const verdict of verdicts)
    assert.ok(now[verdict]! > before[verdict]!, `none with verdict ${verdict}`);
}

describe(`${packets} damaged packets (seed ${seed})`, () => {
  test('that a link receives', async () => {
    const receiver = Buffer.from(mac.lan.replaceAll(':', ''), 'hex');
    const send = (bytes: Buffer): boolean => {
      receiver.copy(bytes);
      return sendWhole(wires.ingress, bytes);
    };
    await assertCounted('ingress', send, [VERDICT_TRUNCATED, VERDICT_NOT_IP, VERDICT_TAGGED]);
  });

  test('that a link sends', async () => {
    const send = (bytes: Buffer): boolean => sendWhole(wires.egress, bytes);
    await assertCounted('egress', send, [VERDICT_TRUNCATED, VERDICT_UNKNOWN, VERDICT_TAGGED]);
  });

  /** The kernel drops a frame that ends within its tag, and redirects none of less than four bytes. */
  function sendWhole(link: string, bytes: Buffer): boolean {
    if (bytes.length < 22) return false;
    sender.send(link, bytes);
    return true;
  }
});

describe(`${packets} damaged packets without a link header (seed ${seed})`, () => {
  let tun: Tun;
  before(() => {
    if (lacksTun()) return;
    tun = new Tun('tun0');
    // With a gateway that is new the director looks for new links too.
    bed.setService({ fwmark: 9, gateways: [[102]] });
  });

  test('that a link receives', { skip: lacksTun() }, async () => {
    const send = (bytes: Buffer): boolean => {
      // The kernel asks for the version only.
      if (![4, 6].includes((bytes[14] ?? 0) >> 4)) return false;
      tun.receive({ bytes });
      return true;
    };
    await assertCounted('ingress', send, [VERDICT_TRUNCATED, VERDICT_UNKNOWN]);
  });

  test('that a link sends', async () => {
    const program = new Program(bed.director.linkPrograms('lan', false).egress!);
    after(() => program.close());
    const send = (frame: Buffer): boolean => {
      // A test run takes what lies here for the frame's type: part of the source address.
      const bytes = frame.subarray(14);
      const family = (bytes[0] ?? 0) >> 4;
      if (bytes.length < 14 + (family === 6 ? 40 : 20)) return false;
      bytes.writeUInt16BE(family === 6 ? 0x86dd : 0x0800, 12);
      assert.equal(program.run(bytes).retval, -1, bytes.toString('hex'));
      return true;
    };
    await assertCounted('egress', send, [VERDICT_TRUNCATED, VERDICT_UNKNOWN]);
  });
});
