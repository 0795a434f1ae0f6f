// The recordings of real IPVS in the kernel, packet by packet: choices, templates, thresholds and
// counters all at once.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { run } from '../../src/util/run.ts';
import { type Op, parseCommand, type Recording, recordings } from '../golden/recording.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { KernelDirector } from './sched-director.ts';

/** Choices in all recordings together. */
const expectedChoices = 7251;

const bed = openBed();
// mh hashes the addresses of the gateways: they must be the recorded ones.
run(['ip', 'address', 'add', '10.0.2.254/24', 'dev', 'wan1']);
const director = new KernelDirector(bed);
after(() => bed.close());
afterEach(() => {
  assertExact(bed);
  bed.forget();
});

async function begin({ setup }: Recording): Promise<void> {
  const [service, ...gateways] = setup.map(parseCommand);
  const { scheduler, flags, persistence, onePacket } = service!;
  await director.begin(
    { ...{ scheduler, flags, family: 4 }, persistence, onePacket },
    gateways.map(({ gateway, settings }) => [gateway, settings]),
  );
}

async function command(line: string): Promise<void> {
  const { verb, gateway, settings } = parseCommand(line);
  if (verb === '-a') await director.insert(gateway, settings);
  else if (verb === '-e') await director.edit(gateway, settings);
  else await director.remove(gateway);
}

/** Does the steps; a line for each: whom it chose, and active/inactive, the newest gateway first. */
async function replay(ops: Op[]): Promise<string[]> {
  const chosen = new Map<number, string>();
  const lines: string[] = [];
  for (const op of ops) {
    if (op.op === 'ipvsadm') await command(op.args);
    if (op.op === 'open') {
      const [address = '', port] = op.src.split(':');
      const server = op.dst.split(':')[0]!;
      const client = { address, port: Number(port), server };
      chosen.set(op.conn, await director.open(client, op.proto));
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
    await t.test(`in ${recording.name}`, async () => {
      // IPVS's default; ours moves the clients of a drained gateway.
      bed.setSettings({ expireQuiescentTemplate: 0 });
      await begin(recording);
      assert.deepEqual(await replay(recording.ops), recorded(recording.ops));
      choices += recording.sequence.length;
    });
  }
  assert.equal(choices, expectedChoices);
});

describe('by default a drained gateway gets no more clients, not even its own', () => {
  const drained = recordings.filter(({ name }) => name.includes('-persist-8clients-dynamic60'));
  for (const { name, ops, ...recording } of drained) {
    test(`in ${name}`, async () => {
      await begin({ name, ops, ...recording });
      const at = ops.findIndex((op) => op.op === 'ipvsadm' && op.args.endsWith(' -w 0'));
      const gateway = parseCommand((ops[at] as Extract<Op, { op: 'ipvsadm' }>).args).gateway;
      await replay(ops.slice(0, at + 1));
      const weighedAgain = ops.findIndex((op, i) => i > at && op.op === 'ipvsadm');
      const opened = ops.slice(at + 1, weighedAgain).filter((op) => op.op === 'open');
      assert.ok(
        opened.some(({ dest }) => dest === gateway),
        'IPVS keeps some of them',
      );
      const lines = await replay(opened);
      const chosen = lines.filter((line) => line.includes(` ${gateway}:`));
      assert.deepEqual(chosen, []);
    });
  }
});
