// Runs every recorded ipvsadm command on a director in memory and compares what is printed, byte
// for byte.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatVersion } from '../src/ipvsadm/help.ts';
import { noDaemon, useFwmark, useReinject } from '../src/ipvsadm/options.ts';
import type { Connection, Counters } from '../src/model/table.ts';
import { MemoryIo } from './ipvsadm-memory.ts';
import {
  folder,
  type Printed,
  type Recording,
  readRecordings,
  readSetup,
  translate,
  translateArgs,
  unknownMarks,
} from './ipvsadm-recording.ts';

const notCompared: Record<string, string> = {
  '001-help': 'our own arrangement; the last test compares what it names',
  '002-h': 'our own arrangement; the last test compares what it names',
  '326-live-Lc': 'port names are not looked up, which shifts the columns',
};

type Departure = (recorded: Printed) => Partial<Printed>;

const refusal = (sentence: string): Departure => {
  return () => ({ stdout: '', stderr: `${sentence}\n`, exit: 2 });
};

const startRefused = refusal(`--start-daemon: ${noDaemon}`);
const stopRefused = refusal(`--stop-daemon: ${noDaemon}`);
const noDaemonRuns: Departure = () => ({ stdout: '' });
const noTunnels = refusal(`--tun-type: ${useReinject}`);
const ourVersion: Departure = () => ({ stdout: formatVersion() });

const edit =
  (from: string | RegExp, to: string): Departure =>
  ({ stdout }) => ({ stdout: stdout.replace(from, to) });
const savesThresholds = edit('10.0.2.13:0 -j -w 3', '10.0.2.13:0 -j -w 3 -x 100 -y 50');
const noMixedFamilies = edit(/^.*10\.0\.2\.11:0 .*\n/m, '');

/**
 * Where we differ on purpose, beside what `translate` changes everywhere: by recording, with the
 * reason.
 */
const departures: Record<string, { why: string; ours: Departure }> = {
  '003-version': { why: 'we are not ipvsadm', ours: ourVersion },
  '004-v': { why: 'we are not ipvsadm', ours: ourVersion },
  '044-kinds-Ln-tun-info': { why: 'no tunnels', ours: edit('ipip', 'n/a ') },
  '081-edit-after6': {
    why: 'thresholds are saved',
    ours: edit('11:0 -j -w 3', '11:0 -j -w 3 -x 5 -y 2'),
  },
  '093-daemon-start-master': { why: 'no sync daemon', ours: startRefused },
  '094-daemon-show': { why: 'no sync daemon', ours: noDaemonRuns },
  '096-daemon-start-again': { why: 'no sync daemon', ours: startRefused },
  '097-daemon-start-backup': { why: 'no sync daemon', ours: startRefused },
  '098-daemon-show3': { why: 'no sync daemon', ours: noDaemonRuns },
  '099-daemon-stop-master': { why: 'no sync daemon', ours: stopRefused },
  '100-daemon-stop-backup': { why: 'no sync daemon', ours: stopRefused },
  '101-daemon-stop-again': { why: 'no sync daemon', ours: stopRefused },
  '104-daemon-badif': { why: 'no sync daemon', ours: startRefused },
  '105-daemon-noif': { why: 'no sync daemon', ours: startRefused },
  '106-restore-R': {
    why: 'a line that begins with # is a comment; the service by address behind it is refused',
    ours: refusal(`-t: ${useFwmark}`),
  },
  '193-err-i-bad-tun': { why: 'no tunnels', ours: noTunnels },
  '194-err-gue-noport': { why: 'no tunnels', ours: noTunnels },
  '195-err-tun-with-g': { why: 'no tunnels', ours: noTunnels },
  '315-live-S': { why: 'thresholds are saved', ours: savesThresholds },
  '316-live-Sn': { why: 'thresholds are saved', ours: savesThresholds },
  '320-live-save': { why: 'thresholds are saved', ours: savesThresholds },
  '347-v6-a-v4tun': {
    why: 'a gateway of the other family could be a tunnel only',
    ours: refusal('Different address family is allowed only for tunneling servers'),
  },
  '350-v6-Ln': { why: 'the gateway of 347 was refused', ours: noMixedFamilies },
  '351-v6-Sn': { why: 'the gateway of 347 was refused', ours: noMixedFamilies },
  '352-v6-one': { why: 'the gateway of 347 was refused', ours: noMixedFamilies },
  '370-names-S': { why: 'what is saved is numeric', ours: edit('localhost', '127.0.0.1') },
};

interface Numbers {
  active?: number;
  inactive?: number;
  persistent?: number;
  totals?: number[];
  rates?: number[];
}

interface Snapshot {
  /** Number of the first recording that shows these numbers. */
  from: number;
  gateways: Record<string, Numbers>;
  services?: Record<string, Numbers>;
}

const snapshots: Snapshot[] = JSON.parse(readFileSync(join(folder, 'counters.json'), 'utf8'));

function toCounters([connections, inPackets, outPackets, inBytes, outBytes]: number[]): Counters {
  const big = (value = 0) => BigInt(value);
  return {
    connections: big(connections),
    inPackets: big(inPackets),
    outPackets: big(outPackets),
    inBytes: big(inBytes),
    outBytes: big(outBytes),
  };
}

const toFields = ({ totals, rates, ...counts }: Numbers) => ({
  ...counts,
  ...(totals && { totals: toCounters(totals) }),
  ...(rates && { rates: toCounters(rates) }),
});

/** Gives the table the traffic that the recordings from this one on had. */
function addTraffic(io: MemoryIo, number: number): void {
  for (const snapshot of snapshots.filter(({ from }) => from === number)) {
    const services = io.table.services.map((service) => ({
      ...service,
      ...toFields(snapshot.services?.[service.fwmark] ?? {}),
      gateways: service.gateways.map((gateway) => ({
        ...gateway,
        ...toFields(snapshot.gateways[`${service.fwmark} ${gateway.address}`] ?? {}),
      })),
    }));
    io.table = { ...io.table, services };
  }
}

const protocols: Record<string, number> = { IP: 0, TCP: 6, UDP: 17 };

/** The connections of a listing, read by words: what is compared then is their form. */
function readConnections({ stdout }: Printed): Connection[] {
  const rows = stdout.startsWith('IPVS connection') ? stdout.trim().split('\n').slice(2) : [];
  return rows.map((row) => {
    const [protocol = '', expiry = '', state = '', ...endpoints] = row.split(/ +/);
    const [client = [], server = [], gateway = []] = endpoints.map((one) => one.split(':'));
    const [minutes = 0, seconds = 0] = expiry.split(':').map(Number);
    return {
      protocol: protocols[protocol] ?? -1,
      family: 4,
      client: client[0] ?? '',
      clientPort: Number(client[1]),
      server: server[0] ?? '',
      serverPort: Number(server[1]),
      gateway: gateway[0] ?? '',
      gatewayPort: Number(gateway[1]),
      state,
      expires: minutes * 60 + seconds,
      ...{ fwmark: 0, age: 0, reason: '', generation: 0 },
    };
  });
}

/** A director in the state that a recording began with. */
function buildState(state: string): { io: MemoryIo; dropped: Set<string> } {
  const io = new MemoryIo();
  io.markMask = 0; // IPVS has no gateway bits.
  if (state === 'names')
    io.names = (address) => (address === '127.0.0.1' ? 'localhost' : undefined);
  const setup = state === 'empty' ? [] : readSetup(state);
  const dropped = unknownMarks(setup);
  for (const args of setup) {
    const status = io.run(translateArgs(args));
    const known = !dropped.has(args[args.indexOf('-f') + 1] ?? '');
    assert.equal(status === 0, known, `${state}: ${args.join(' ')}: ${io.stderr}`);
  }
  return { io, dropped };
}

const recordings = readRecordings();
const states = new Map<string, ReturnType<typeof buildState>>();

function replay(recording: Recording): { recorded: Printed; expected: Printed; printed: Printed } {
  const { state, number, args, stdin } = recording;
  const { io, dropped } = states.get(state) ?? buildState(state);
  states.set(state, { io, dropped });
  if (state === 'live' || state === 'big') addTraffic(io, number);
  io.connections = readConnections(recording);
  const exit = io.run(translateArgs(args), stdin.replaceAll(' -g ', ' -j '));
  const recorded = {
    stdout: translate(recording.stdout, dropped),
    stderr: translate(recording.stderr, dropped),
    exit: recording.exit,
  };
  const expected = { ...recorded, ...departures[recording.name]?.ours(recorded) };
  return { recorded, expected, printed: { stdout: io.stdout, stderr: io.stderr, exit } };
}

describe('ipvsadm, as recorded,', () => {
  let compared = 0;
  for (const recording of recordings) {
    const { name, args } = recording;
    const why = departures[name]?.why;
    test(`answers ${args.join(' ') || 'nothing'} (${name}${why ? `: ${why}` : ''})`, () => {
      const { recorded, expected, printed } = replay(recording);
      if (name in notCompared) return;
      assert.deepEqual(printed, expected);
      // A departure that departs from nothing hides the next mistake.
      if (why) assert.notDeepEqual(printed, recorded);
      compared += 1;
    });
  }

  test('is compared with every recording', () => {
    assert.equal(compared, recordings.length - Object.keys(notCompared).length);
    assert.equal(compared, 279);
    const names = new Set(recordings.map(({ name }) => name));
    const stale = [...Object.keys(departures), ...Object.keys(notCompared)].filter(
      (name) => !names.has(name),
    );
    assert.deepEqual(stale, []);
  });
});

describe('the help', () => {
  const optionsIn = (text: string): Set<string> =>
    new Set(text.match(/(?<=[\s|])(--[a-z][a-z-]+|-[A-Za-z0-9](?![\w-]))/g) ?? []);

  test('names every option that the real one names and we serve', () => {
    const io = new MemoryIo();
    assert.equal(io.run(['--help']), 0);
    const ours = optionsIn(io.stdout);
    const theirs = recordings.find(({ name }) => name === '001-help')?.stdout ?? '';
    const missing = [...optionsIn(theirs)].filter((option) => !ours.has(option));
    const refused = [
      /^-[tugim]$/,
      /^--((tcp|udp|sctp)-service|gatewaying|ipip|masquerading|pe|(start|stop)-daemon)$/,
      /^--(sync|mcast-|tun-(?!info))/,
    ];
    assert.ok(optionsIn(theirs).size > 60);
    assert.deepEqual(
      missing.filter((option) => !refused.some((one) => one.test(option))),
      [],
    );
  });
});
