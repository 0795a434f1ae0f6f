// The recordings of real IPVS in the kernel, packet by packet: choices, templates, thresholds and
// counters all at once.

import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { type Op, parseCommand, type Recording, recordings } from '../golden/recording.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { KernelDirector } from './sched-director.ts';

/** lvs-j moves the clients of a drained gateway, IPVS keeps them: these are replayed up to there. */
const untilDrained = [
  'rr-w123-persist-8clients-dynamic60',
  'sh-w123-persist-8clients-dynamic60',
  'wlc-w123-persist-8clients-dynamic60',
  'wrr-w123-persist-8clients-dynamic60',
];

/** lvs-j has no one-packet scheduling (-o). */
const notReplayed = [
  'lc-w123-ops-udp60',
  'rr-w123-ops-udp60',
  'wlc-w123-ops-udp60',
  'wrr-w123-ops-udp60',
];

/** Choices in all the steps that are replayed. */
const expectedChoices = 3035;

const bed = openBed();
const director = new KernelDirector(bed);
after(() => bed.close());
afterEach(() => {
  assertExact(bed);
  bed.forget();
});

async function begin({ setup }: Recording): Promise<void> {
  const [service, ...gateways] = setup.map(parseCommand);
  const { scheduler, flags, persistence } = service!;
  await director.begin(
    { ...{ scheduler, flags, family: 4 }, persistence },
    gateways.map(({ gateway, settings }) => [gateway, settings]),
  );
}

async function command(line: string): Promise<void> {
  const { verb, gateway, settings } = parseCommand(line);
  if (verb === '-a') await director.insert(gateway, settings);
  else if (verb === '-e') await director.edit(gateway, settings);
  else await director.remove(gateway);
}

function stepsOf({ name, ops }: Recording): Op[] {
  if (!untilDrained.includes(name)) return ops;
  return ops.slice(
    0,
    ops.findIndex((op) => op.op === 'ipvsadm' && op.args.endsWith(' -w 0')),
  );
}

/** Does the steps; a line for each: whom it chose, and active/inactive, the newest gateway first. */
async function replay(ops: Op[]): Promise<string[]> {
  const chosen = new Map<number, string>();
  const lines: string[] = [];
  for (const op of ops) {
    if (op.op === 'ipvsadm') await command(op.args);
    if (op.op === 'open') {
      const [address = '', port] = op.src.split(':');
      chosen.set(op.conn, await director.open({ address, port: Number(port) }, op.proto));
    }
    // Not what was refused, nor what a gateway had that is deleted now.
    const gateway = op.op === 'close' && !op.skipped && chosen.get(op.conn);
    if (gateway && gateway in op.after!) await director.close(gateway);
    if (op.after) lines.push(line(op, op.op === 'open' ? chosen.get(op.conn)! : '', bed.counts()));
  }
  return lines;
}

const line = (op: Op, gateway: string, counts: string): string =>
  `${op.op} ${op.op === 'ipvsadm' ? op.args : op.conn} ${gateway}: ${counts}`;

const recorded = (ops: Op[]): string[] =>
  ops.flatMap((op) => {
    if (!op.after) return [];
    const counts = Object.values(op.after).map((pair) => pair.join('/'));
    return [line(op, op.op === 'open' ? (op.dest ?? '-') : '', counts.join(' '))];
  });

test('the director does what IPVS did', async (t) => {
  let choices = 0;
  for (const recording of recordings) {
    if (notReplayed.includes(recording.name)) continue;
    await t.test(`in ${recording.name}`, async () => {
      const steps = stepsOf(recording);
      await begin(recording);
      assert.deepEqual(await replay(steps), recorded(steps));
      choices += steps.filter(({ op }) => op === 'open').length;
    });
  }
  assert.equal(choices, expectedChoices);
});
