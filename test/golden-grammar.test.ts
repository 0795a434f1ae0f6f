// Odd command lines and restored files, as the real ipvsadm took them: what counts is the grammar.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { noDaemon } from '../src/ipvsadm/options.ts';
import { MemoryIo } from './ipvsadm-memory.ts';
import { folder, translate, translateArgs } from './ipvsadm-recording.ts';

/** What one command line did: nothing printed and nothing changed unless said otherwise. */
interface Outcome {
  exit: number;
  stdout?: string;
  stderr?: string;
  /** Lines of `-Sn` that came and went. */
  added?: string[];
  removed?: string[];
  timeouts?: string;
  /** Printed help or the version, which are our own. */
  help?: boolean;
}

const readLines = <Line>(name: string): Line[] =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

interface Departure {
  why: string;
  ours: Outcome;
}

const refused = (why: string, message: string, exit = 2): Departure => ({
  why,
  ours: { exit, stderr: `${message}\n` },
});
const adds = (why: string, line: string): Departure => ({ why, ours: { exit: 0, added: [line] } });

const noPortName = refused(
  'port names are not looked up',
  'illegal real server address[:port] specified',
);
const noScheduler = (why: string) => refused(why, 'Scheduler or persistence engine not found', 255);
const linkLocal = 'link-local gateways are served, with their link';
const reinject = 'the forwarder that this is all about';

/** Where we differ on purpose, beside what `translate` changes everywhere. */
const departures: Record<string, Departure> = {
  '-a -f 1 -r 10.0.2.12:http': noPortName,
  '-a -f 1 -r 10.0.2.12:domain': noPortName,
  '-a -f 1 -r 10.0.2.12:syslog': noPortName,
  '-a -f 6 -6 -r [2001:db8::12]:http': noPortName,
  '-a -f 1 -r [10.0.2.12]:80': refused(
    'brackets are for IPv6; the real one forgets the port',
    'illegal real server address[:port] specified',
  ),
  '-a -f 6 -6 -r fe80::1%lo': adds(linkLocal, '-a -f 6 -6 -r [fe80::1%lo]:0 -j -w 1'),
  '-a -f 6 -6 -r fe80::1%nosuch': adds(
    'whether a link exists is for the kernel to say',
    '-a -f 6 -6 -r [fe80::1%nosuch]:0 -j -w 1',
  ),
  '-a -f 6 -6 -r [fe80::1%lo]:80': adds(linkLocal, '-a -f 6 -6 -r [fe80::1%lo]:80 -j -w 1'),
  '-a -f 6 -6 -r fe80::1': refused(
    linkLocal,
    'fe80::1 may be on any link: write the gateway as fe80::1%LINK',
  ),
  '-a -f 6 -6 -r ::1.2.3.4': refused(
    'IPv4-compatible addresses are out of use',
    'Invalid operation.  Possibly wrong module version, address not unicast, ...',
    255,
  ),
  '-a -f 1 -r 10.0.2.12 -j': adds(reinject, '-a -f 1 -r 10.0.2.12:0 -j -w 1'),
  '-a -f 1 -r 10.0.2.12 --reinject': adds(reinject, '-a -f 1 -r 10.0.2.12:0 -j -w 1'),
  '-a -f 1 -j -r 10.0.2.12': adds(reinject, '-a -f 1 -r 10.0.2.12:0 -j -w 1'),
  '-A -f 8 -s none': noScheduler('a service without a scheduler never answers'),
  '-A -f 8 -s none -b flag-1': noScheduler('a service without a scheduler never answers'),
  '-A -f 8 -s sh -b flag-3': adds(
    'a flag without a name is not saved as an empty one',
    '-A -f 8 -s sh',
  ),
  '-A -f 8 -6 -p -M 4294967360': refused('numbers do not wrap', 'illegal ipv6 netmask specified'),
  '-L --syncid 1': refused('no sync daemon', "Illegal 'syncid' option with the 'list' command"),
  '--stop-daemon=master': refused('no sync daemon', `--stop-daemon: ${noDaemon}`),
  '--start-daemon master -n': refused('no sync daemon', `--start-daemon: ${noDaemon}`),
};

const noneDropped = new Set<string>();
const translateLines = (lines: string[] = []): string[] =>
  lines.map((line) => translate(line, noneDropped));

const expectedOf = (recorded: Outcome): Outcome => ({
  stdout: '',
  stderr: '',
  ...recorded,
  ...(recorded.stdout && { stdout: translate(recorded.stdout, noneDropped) }),
  ...(recorded.stderr && { stderr: translate(recorded.stderr, noneDropped) }),
  added: translateLines(recorded.added),
  removed: translateLines(recorded.removed),
});

function outcomeOf(args: readonly string[]): Outcome {
  const io = new MemoryIo();
  io.markMask = 0;
  const input = '-A -f 1\n-a -f 1 -r 10.0.2.11\n-A -f 6 -6 -s lc\n-a -f 6 -6 -r 2001:db8::11\n';
  assert.equal(io.run(['-R'], input), 0);
  const [before, timeouts] = [readSaved(io), readTimeouts(io)];
  const exit = io.run(args);
  const { stdout, stderr } = io;
  const after = readSaved(io);
  const now = readTimeouts(io);
  return {
    exit,
    stdout,
    stderr,
    added: after.filter((line) => !before.includes(line)),
    removed: before.filter((line) => !after.includes(line)),
    ...(now !== timeouts && { timeouts: now }),
    ...(stdout.includes('v1.31') && { help: true, stdout: '' }),
  };
}

/** Without the thresholds, which the real one does not save. */
function readSaved(io: MemoryIo): string[] {
  io.run(['-Sn']);
  return io.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/( -[xy] \d+)+$/, ''));
}

function readTimeouts(io: MemoryIo): string {
  io.run(['-L', '--timeout']);
  return io.stdout.trim();
}

describe('ipvsadm takes', () => {
  const recordings = readLines<Outcome & { args: string[] }>('grammar.jsonl');
  for (const { args, ...recorded } of recordings) {
    const line = args.map((arg) => (/^[^' ]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
    const departure = departures[line];
    test(`${line}${departure ? ` otherwise: ${departure.why}` : ''}`, () => {
      const outcome = outcomeOf(translateArgs(args));
      const expected = expectedOf(recorded);
      assert.deepEqual(outcome, departure ? expectedOf(departure.ours) : expected);
      if (departure) assert.notDeepEqual(outcome, expected);
    });
  }
});

interface Restored {
  stdin: string;
  exit: number;
  /** Both streams. */
  said?: string;
  saved?: string;
  help?: boolean;
}

/** Where we restore on purpose what the real one does not. */
const restoreDepartures: Record<string, { why: string; ours: Omit<Restored, 'stdin'> }> = {
  '#x\n-A -f 1\n': { why: 'comment', ours: { exit: 0, saved: '-A -f 1 -s wlc\n' } },
  '# x\n-A -f 1\n': { why: 'comment', ours: { exit: 0, saved: '-A -f 1 -s wlc\n' } },
  '-A -f 1\n \n# \n-A -f 2\n': {
    why: 'comment',
    ours: { exit: 0, saved: '-A -f 1 -s wlc\n-A -f 2 -s wlc\n' },
  },
  'ipvsadm ipvsadm -A -f 1\n': {
    why: 'its name is dropped once',
    ours: { exit: 2, said: 'unexpected argument ipvsadm\n' },
  },
  'lvsj ipvsadm -A -f 1\n': { why: 'our name', ours: { exit: 0, saved: '-A -f 1 -s wlc\n' } },
};

describe('ipvsadm -R takes', () => {
  for (const { stdin, ...recorded } of readLines<Restored>('restore.jsonl')) {
    const departure = restoreDepartures[stdin];
    const title = JSON.stringify(stdin);
    test(`${title}${departure ? ` otherwise: ${departure.why}` : ''}`, () => {
      const io = new MemoryIo();
      const exit = io.run(['-R'], stdin);
      const said = translate(io.said, noneDropped);
      io.run(['-Sn']);
      const help = said.includes('v1.31');
      const restored = { exit, said: help ? '' : said, saved: io.stdout, help };
      const fill = (one: Omit<Restored, 'stdin'>) => ({
        exit: one.exit,
        said: translate(one.said ?? '', noneDropped),
        saved: one.saved ?? '',
        help: one.help ?? false,
      });
      assert.deepEqual(restored, fill(departure?.ours ?? recorded));
      if (departure) assert.notDeepEqual(restored, fill(recorded));
    });
  }
});

test('the recordings of the grammar are all there, and each departure is of one of them', () => {
  const lines = readLines<{ args: string[] }>('grammar.jsonl').map(({ args }) => args.join(' '));
  const restored = readLines<Restored>('restore.jsonl').map(({ stdin }) => stdin);
  assert.deepEqual([lines.length, restored.length], [617, 45]);
  assert.deepEqual(
    Object.keys(departures).filter((line) => !lines.includes(line)),
    [],
  );
  assert.deepEqual(
    Object.keys(restoreDepartures).filter((text) => !restored.includes(text)),
    [],
  );
});
