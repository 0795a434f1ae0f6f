// Each error of the command line: its exit status, one sentence on stderr, and nothing changed. Needs
// root.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import type { RunResult } from '../../src/util/run.ts';
import { DirectorLab, lvsjProgram } from './director-lab.ts';
import { lvsjRefused } from './refusal.ts';

const lab = new DirectorLab('errors');

/** What is wrong, the command line, the status, the sentence. */
type Case = [name: string, words: string, status: number, sentence: RegExp];

const gatewayErrors: Case[] = [
  [
    'a gateway behind another router',
    '-a -f 1 -r 198.51.100.10 -j',
    255,
    /^gateway 198\.51\.100\.10 is not on a directly connected network: .*\(192\.0\.2\.1\)$/,
  ],
  [
    'a gateway behind another router, in IPv6',
    '-a -f 1 -6 -r 2001:db8:ffff::10 -j',
    255,
    /^gateway 2001:db8:ffff::10 is not on a directly connected network: /,
  ],
  [
    'a gateway that no route leads to',
    '-a -f 1 -r 192.168.77.1 -j',
    255,
    /^gateway 192\.168\.77\.1: no route leads there/,
  ],
  ['a gateway that is this host', '-a -f 1 -r 192.0.2.2 -j', 255, /is an address of this host/],
  ['a gateway for many', '-a -f 1 -r 224.0.0.1 -j', 255, /address not unicast/],
  ['a gateway of no link', '-a -f 1 -6 -r fe80::1%eth9 -j', 255, /there is no link "eth9"/],
  ['a link-local gateway without link', '-a -f 1 -6 -r fe80::1 -j', 2, /fe80::1%LINK/],
  ['a gateway of the other family', '-a -f 1 -r 2001:db8:2::1 -j', 2, /Different address family/],
  ['a gateway that is no address', '-a -f 1 -r fiber -j', 2, /^illegal real server address/],
  ['a gateway twice', '-a -f 1 -r 192.0.2.1 -j', 255, /^Destination already exists$/],
  ['an edit of a missing gateway', '-e -f 1 -r 203.0.113.1 -j', 255, /^No such destination$/],
  ['an end of a missing gateway', '-d -f 1 -r 203.0.113.1', 255, /^No such destination$/],
  ['a gateway of a missing service', '-a -f 9 -r 203.0.113.1 -j', 255, /^Service not defined$/],
];

const valueErrors: Case[] = [
  ['a negative weight', '-a -f 1 -r 203.0.113.1 -j -w -1', 2, /weight/],
  ['a weight out of range', '-e -f 1 -r 192.0.2.1 -j -w 2147483648', 2, /^illegal weight/],
  ['a weight that is no number', '-e -f 1 -r 192.0.2.1 -j -w heavy', 2, /^illegal weight/],
  ['thresholds the wrong way round', '-e -f 1 -r 192.0.2.1 -j -x 3 -y 5', 255, /out of range$/],
  ['the fwmark 0', '-A -f 0', 2, /^invalid fwmark value `0' specified$/],
  [
    'a fwmark in the gateway bits',
    '-A -f 16777216',
    2,
    /hold the gateway, 1\.\.16777215 are free$/,
  ],
  ['a fwmark that is no number', '-A -f web', 2, /^invalid fwmark value `web'/],
  ['a persistence of no time', '-A -f 5 -p 0', 2, /^invalid timeout value/],
  ['timeouts that are no numbers', '--set a b c', 2, /timeout/],
];

const serviceErrors: Case[] = [
  ['a service twice', '-A -f 1', 255, /^Service already exists$/],
  ['an edit of a missing service', '-E -f 9 -s rr', 255, /^No such service$/],
  ['an end of a missing service', '-D -f 9', 255, /^No such service$/],
  ['a listing of a missing service', '-Ln -f 9', 1, /^No such service$/],
  ['zeroing a missing service', '-Z -f 9', 255, /^No such service$/],
  ['an unknown scheduler', '-A -f 5 -s best', 255, /^Scheduler or persistence engine not found$/],
  [
    'an unknown persistence key',
    '-A -f 5 -p --pe sip',
    255,
    /^Scheduler or persistence engine not found$/,
  ],
  ['a virtual address', '-A -t 10.0.0.1:80', 2, /^-t: .* no virtual address: .* use -f FWMARK$/],
  ['a UDP service', '-A -u 10.0.0.1:53', 2, /^-u: .* use -f FWMARK$/],
  ['direct routing', '-a -f 1 -r 203.0.113.1 -g', 2, /^-g: .* use -j$/],
  ['tunnelling', '-a -f 1 -r 203.0.113.1 -i', 2, /^-i: .* use -j$/],
  ['masquerading', '-a -f 1 -r 203.0.113.1 -m', 2, /^-m: .* use -j$/],
  ['a sync daemon', '--start-daemon master', 2, /no sync daemon: use conntrackd/],
];

const directorErrors: Case[] = [
  ['a second start', 'start', 255, /^already running: lvsj stop ends the director/],
  ['a table too small', 'start --connections 5', 2, /1024/],
  ['an unknown command', 'balance', 2, /^lvsj: there is no command "balance"/],
  ['an unknown option', 'status --xml', 2, /unknown option '--xml'/],
  ['an unknown gateway', 'gateway 192.0.2.9', 1, /^gateway 192\.0\.2\.9: .* no such gateway .*; /],
  ['a capacity of it', 'gateway 9 capacity 1M 1M', 1, /^gateway 9: .* lvsj gateway lists them$/],
  ['a capacity of no size', 'gateway 1 capacity 30 1M', 2, /^capacity "30": .* e\.g\. 250M/],
  ['half a capacity', 'gateway 1 capacity 1M', 2, / or lvsj gateway NAME capacity DOWN UP$/],
  ['another verb', 'gateway 1 stop', 2, /write lvsj gateway NAME drain, enable or disable, /],
  [
    'a drain where no file has it',
    'gateway 192.0.2.1 drain',
    255,
    /no configuration has this gateway; /,
  ],
  ['an unknown setting', 'setting drop_entry 1', 2, /no setting "drop_entry", but conn_reuse_mode/],
  ['a value out of range', 'setting sloppy_tcp 2', 2, /^lvsj setting sloppy_tcp 2: .* 0 or 1$/],
];

function assertRefused({ status, stdout, stderr }: RunResult, want: [number, RegExp]): void {
  assert.deepEqual([status, stdout], [want[0], ''], stderr);
  assert.match(stderr, /^[^\n]+\n$/, 'one line');
  assert.match(stderr.trimEnd(), want[1]);
}

const stateNow = () => ({
  namespace: namespaceState(lab.name, 'director'),
  table: lab.lvsj('ipvsadm -Sn'),
  connections: lab.connections(),
  pins: pins(),
});

function pins(): string[] {
  const all = existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf') : [];
  return all.filter((pin) => pin.includes(String(lab.inode('director'))));
}

function assertUnchanged(before: ReturnType<typeof stateNow>): void {
  const { namespace, ...rest } = stateNow();
  assert.deepEqual(diffNamespaceStates(before.namespace, namespace).slice(0, 12), []);
  assert.deepEqual({ ...rest, namespace: before.namespace }, before);
}

/** lvsj by somebody who lacks something. */
const lvsjAs = (who: string[], command: string) =>
  lab.tryRun('director', ['setpriv', ...who, lvsjProgram, ...command.split(' ')]);

const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const weakRoot = ['--bounding-set=-bpf,-sys_admin,-perfmon'];

describe('where a director runs, it is refused', { timeout: 120_000 }, () => {
  let before_: ReturnType<typeof stateNow>;
  before(async () => {
    await lab.up();
    lab.director('ip route add unreachable 192.168.77.0/24');
    lab.restore('-A -f 1 -s wrr\n-a -f 1 -r 192.0.2.1 -j -w 3\n-A -f 1 -6');
    before_ = stateNow();
  });
  after(() => lab.down());

  for (const [name, words, status, sentence] of [
    ...gatewayErrors,
    ...valueErrors,
    ...serviceErrors,
  ])
    test(name, () => assertRefused(lab.tryLvsj(`ipvsadm ${words}`), [status, sentence]));

  for (const [name, words, status, sentence] of directorErrors)
    test(name, () => assertRefused(lab.tryLvsj(words), [status, sentence]));

  for (const command of ['ipvsadm -Ln', 'ipvsadm -C', 'status', 'stop', 'setting sloppy_tcp 1'])
    test(`${command} by somebody who is not root`, () => {
      assertRefused(lvsjAs(nobody, command), [2, /Permission denied \(you must be root\)$/]);
    });

  test('a restore of which a line is wrong, for that line alone', () => {
    const table = lab.lvsj('ipvsadm -Sn');
    const lines =
      '-A -f 7 -s rr\n-a -f 7 -r 198.51.100.10 -j\n-a -f 7 -r 203.0.113.1 -j\n-D -f 9\n';
    const { status, stderr } = lab.tryLvsj('ipvsadm -R', lines);
    assert.equal(status, 255);
    assert.match(stderr, /^gateway 198\.51\.100\.10 is not on .*\nNo such service\n$/);
    const added = '-A -f 7 -s rr\n-a -f 7 -r 203.0.113.1:0 -j -w 1\n';
    assert.ok(lab.lvsj('ipvsadm -Sn').includes(added));
    lab.lvsj('ipvsadm -D -f 7');
    assert.equal(lab.lvsj('ipvsadm -Sn'), table);
  });

  test('a line of a long restore, also where it may open few files', () => {
    const weights = Array.from({ length: 20 }, (_, i) => `-e -f 7 -r 203.0.113.1 -j -w ${i}`);
    const lines = ['-A -f 7 -s rr', '-a -f 7 -r 203.0.113.1 -j', ...weights];
    const wrong = '-a -f 7 -r 198.51.100.10 -j';
    const argv = ['prlimit', '--nofile=128', lvsjProgram, 'ipvsadm', '-R'];
    const { stderr } = lab.tryRun('director', argv, `${[wrong, ...lines, wrong].join('\n')}\n`);
    assert.match(stderr, /^Service not defined\ngateway 198\.51\.100\.10 is not on .*\n$/);
    assert.ok(lab.lvsj('ipvsadm -Sn').includes('-a -f 7 -r 203.0.113.1:0 -j -w 19\n'));
    lab.lvsj('ipvsadm -D -f 7');
  });

  test('and all of it changed nothing', () => assertUnchanged(before_));
});

describe('where no director runs, none is started by', { timeout: 120_000 }, () => {
  let before_: ReturnType<typeof stateNow>;
  before(async () => {
    await lab.up();
    before_ = stateNow();
  });
  after(() => lab.down());

  for (const [name, words, status, sentence] of [
    ['a gateway of no service', '-a -f 1 -r 192.0.2.1 -j', 255, /^Service not defined$/],
    ['an edit', '-E -f 1', 255, /^No such service$/],
    ['an end', '-D -f 1', 255, /^No such service$/],
    ['a wrong scheduler', '-A -f 1 -s best', 255, /^Scheduler or persistence engine not found$/],
    ['a wrong mark', '-A -f 0', 2, /^invalid fwmark value/],
    ['a listing of a service', '-Ln -f 1', 1, /^No such service$/],
  ] satisfies Case[])
    test(name, () => assertRefused(lab.tryLvsj(`ipvsadm ${words}`), [status, sentence]));

  test('a mask with gaps', () => {
    const want: [number, RegExp] = [2, /^mark mask 0xf0f00000: .* eight bits in a row/];
    assertRefused(lab.tryLvsj('start --mark-mask 0xf0f00000'), want);
  });

  for (const command of ['status', 'gateway', 'gateway 1 --json', 'setting', 'setting sloppy_tcp'])
    test(command, () => assertRefused(lab.tryLvsj(command), [1, /^not running: /]));

  for (const command of ['setting sloppy_tcp 1', 'gateway 192.0.2.1 capacity 1M 1M'])
    test(command, () => {
      const want: [number, RegExp] = [255, /: no director runs .* lvsj start, .*, starts one$/];
      assertRefused(lab.tryLvsj(command), want);
    });

  test('a root who may not load programs', () => {
    const want: [number, RegExp] = [255, /^load the eBPF programs: .* not permitted/];
    assertRefused(lvsjAs(weakRoot, 'ipvsadm -A -f 1'), want);
  });

  test('a kernel without CONFIG_LWTUNNEL_BPF', () => {
    const refusal = {
      program: 'ip',
      words: 'route replace default encap bpf',
      message: 'Error: lwtunnel: encapsulation type not supported.',
    };
    const want: [number, RegExp] = [255, /^this kernel .* without CONFIG_LWTUNNEL_BPF/];
    assertRefused(lvsjRefused(lab, refusal, 'ipvsadm -A -f 1'), want);
  });

  test('any of it: nothing has changed', () => assertUnchanged(before_));
});
