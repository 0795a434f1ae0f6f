// What lvsj changes in a namespace goes again: with lvsj stop, with the gateway that needed it, and
// with a command that failed half-way. Needs root.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  diffNamespaceStates,
  type NamespaceState,
  namespaceState,
} from '../../src/lab/namespace-state.ts';
import type { StatusState } from '../../src/model/state.ts';
import { DirectorLab, lvsjProgram, markNew, recipeTable, seen, snatAll } from './director-lab.ts';
import { lvsjRefused } from './refusal.ts';

const lab = new DirectorLab('trace');

const stateNow = () => namespaceState(lab.name, 'director');

function assertAsBefore(before: NamespaceState): void {
  // A link that was left has two hundred sysctls: a few lines say enough.
  assert.deepEqual(diffNamespaceStates(before, stateNow()).slice(0, 12), []);
}

/** Starts a director with the recipe's services, sends connections through it, and stops it. */
function useDirector(): void {
  lab.restore(recipeTable);
  assert.deepEqual(lab.connect(4, { count: 8 }), { [seen[4].isp1]: 6, [seen[4].isp2]: 2 });
  assert.deepEqual(lab.connect(6, { count: 8 }), { [seen[6].isp1]: 6, [seen[6].isp2]: 2 });
  lab.lvsj('stop');
}

const setSysctls = (settings: string) => lab.director(`sysctl -qw ${settings}`);

const reversePath = (links: string[], value: 0 | 1 | 2) =>
  setSysctls(links.map((link) => `net.ipv4.conf.${link}.rp_filter=${value}`).join(' '));

/** A filter that matches everything and does nothing. */
const addFilter = (hook: string) =>
  `tc filter add dev eth0 ${hook} prio 5 protocol ip u32 match u32 0 0 flowid 1:1`;

/** Pins of the director's namespace; they lie outside of it. */
function pins(): string[] {
  const all = existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf') : [];
  return all.filter((pin) => pin.includes(String(lab.inode('director'))));
}

/** What there is of a gateway: by its address, and by its number. */
function tracesOf(address: string): string[] {
  const id = ids.get(address) as number;
  const mark = `0x${id.toString(16).padStart(2, '0')}000000`;
  const printed = lab.director(
    'ip -6 rule; ip rule; ip route show table all; ip -6 route show table all; nft list table inet lvsj',
  );
  return printed
    .split('\n')
    .filter((line) => line.includes(` table ${20_000 + id}`) || line.includes(mark));
}

/** address -> gateway id. */
const ids = new Map<string, number>();

function readIds(): void {
  const { gateways } = JSON.parse(lab.lvsj('status --json')) as StatusState;
  for (const { address, id } of gateways) ids.set(address, id);
}

describe('lvsj stop', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director(`${markNew}\n${snatAll}`);
  });
  after(() => lab.down());
  afterEach(() => {
    lab.tryLvsj('stop');
  });

  test('leaves the namespace as it was found', () => {
    const before = stateNow();
    useDirector();
    assertAsBefore(before);
    assert.deepEqual(pins(), []);
  });

  test('leaves sysctls as they were: no forwarding', (t) => {
    const set = (value: 0 | 1) =>
      setSysctls(`net.ipv4.ip_forward=${value} net.ipv6.conf.all.forwarding=${value}`);
    set(0);
    t.after(() => set(1));
    const before = stateNow();
    useDirector();
    assertAsBefore(before);
  });

  // The kernel takes the larger one of `all` and the link's own; a new link gets the one of `default`.
  for (const [name, value] of [
    ['strict', 1],
    ['loose', 2],
  ] as const)
    for (const links of [['all'], ['default', 'eth0', 'eth1', 'eth2'], ['all', 'default', 'eth1']])
      test(`leaves sysctls as they were: ${name} rp_filter of ${links.join(', ')}`, (t) => {
        reversePath(links, value);
        t.after(() => reversePath(links, 0));
        const before = stateNow();
        useDirector();
        assertAsBefore(before);
      });

  test("leaves the admin's own rules, routes, nft tables, qdiscs and filters untouched", () => {
    lab.director(`
      ip rule add pref 100 from 10.0.0.99 lookup 900; ip route add default via 203.0.113.1 table 900
      ip rule add pref 30000 fwmark 0x7 lookup 901; ip -6 rule add pref 30000 fwmark 0x7 lookup 901
      tc qdisc add dev eth0 clsact
      ${addFilter('ingress')}
      ${addFilter('egress')}
      tc qdisc add dev eth1 root tbf rate 1gbit burst 1mb latency 10ms
      nft add table inet lvsj2; nft add chain inet lvsj2 c; nft add table ip lvsj; nft add chain ip lvsj c`);
    const before = stateNow();
    useDirector();
    assertAsBefore(before);
    lab.director(`ip rule del pref 100; ip rule del pref 30000; ip -6 rule del pref 30000
      ip route flush table 900; tc qdisc del dev eth0 clsact; tc qdisc del dev eth1 root
      nft delete table inet lvsj2; nft delete table ip lvsj`);
  });

  test("leaves an admin's filter that came to our qdisc", () => {
    lab.restore(recipeTable);
    lab.director(addFilter('ingress'));
    lab.lvsj('stop');
    assert.match(lab.director('tc filter show dev eth0 ingress'), /pref 5 u32/);
    assert.doesNotMatch(lab.director('tc filter show dev eth0 ingress'), /bpf/);
    lab.director('tc qdisc del dev eth0 clsact');
  });

  test('says so and exits with 255 where nothing runs', () => {
    const before = stateNow();
    const { status, stdout, stderr } = lab.tryLvsj('stop');
    assert.deepEqual([status, stdout], [255, '']);
    assert.match(stderr, /^not running: .*\n$/);
    assertAsBefore(before);
  });

  test('clears up after a director of which only a part is left', () => {
    const before = stateNow();
    lab.restore(recipeTable);
    // As if something had deleted the link, and the program that finds the director with it.
    lab.director('tc qdisc del dev lvsj0 clsact');
    lab.lvsj('stop');
    const left = diffNamespaceStates(before, stateNow());
    assert.deepEqual(
      left.filter((line) => /rule|route|nft|link/.test(line)),
      [],
    );
  });

  test('takes the gateway out of the conntrack marks', () => {
    useDirector();
    const marks = lab.director('conntrack -L -p tcp 2>/dev/null || true').match(/mark=\d+/g) ?? [];
    assert.ok(marks.length > 0);
    assert.deepEqual([...new Set(marks)], ['mark=0']);
  });
});

describe('a command that fails half-way', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    // So that there are sysctls to put back.
    reversePath(['all'], 1);
  });
  after(() => lab.down());

  for (const [program, words] of [
    ['ip', 'link add'],
    ['bpftool', 'map pin'],
    ['bpftool', 'prog pin'],
    ['ip', 'route replace'],
    ['ip', '-6 -batch'],
    ['nft', '-f -'],
  ] as const)
    test(`leaves nothing of a director that could not start: ${program} ${words}`, () => {
      const before = stateNow();
      const { status, stderr } = lvsjRefused(lab, { program, words }, 'start');
      assert.deepEqual([status, stderr.trimEnd().split('\n').length], [255, 1], stderr);
      assert.match(stderr, /refused by the test/);
      assertAsBefore(before);
      assert.deepEqual(pins(), []);
    });

  for (const [what, capabilities] of [
    ['that may not load programs', '-bpf,-sys_admin,-perfmon'],
    ['that may not enter another mount namespace', '-sys_admin'],
  ] as const)
    test(`leaves nothing of a director started by a root ${what}`, () => {
      const before = stateNow();
      const argv = ['setpriv', `--bounding-set=${capabilities}`, lvsjProgram, 'start'];
      const { status, stderr } = lab.tryRun('director', argv);
      assert.deepEqual([status, stderr.trimEnd().split('\n').length], [255, 1], stderr);
      assertAsBefore(before);
      assert.deepEqual(pins(), []);
    });

  for (const [program, words] of [
    ['ip', '-4 -batch'],
    ['nft', '-f -'],
  ] as const)
    test(`leaves the director as it was before a gateway was refused: ${program} ${words}`, (t) => {
      lab.restore('-A -f 1 -s rr\n-a -f 1 -r 192.0.2.1 -j');
      t.after(() => lab.lvsj('stop'));
      const [before, table] = [stateNow(), lab.lvsj('ipvsadm -Sn')];
      const { status, stderr } = lvsjRefused(
        lab,
        { program, words },
        'ipvsadm -a -f 1 -r 203.0.113.1 -j',
      );
      assert.deepEqual([status, stderr.trimEnd().split('\n').length], [255, 1], stderr);
      assertAsBefore(before);
      assert.equal(lab.lvsj('ipvsadm -Sn'), table);
    });
});

describe('a gateway that is deleted', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director(`${markNew}\n${snatAll}`);
    lab.restore(recipeTable);
    readIds();
  });
  after(() => lab.down());

  test('takes its table, its rule and its nft entries with it', () => {
    assert.ok(tracesOf('203.0.113.1').length > 3);
    lab.lvsj('ipvsadm -d -f 1 -r 203.0.113.1');
    assert.deepEqual(tracesOf('203.0.113.1'), []);
    assert.ok(tracesOf('192.0.2.1').length > 3);
    lab.lvsj('ipvsadm -a -f 1 -r 203.0.113.1 -j');
  });

  test('stays while another service uses it', () => {
    lab.lvsj('ipvsadm -A -f 2');
    lab.lvsj('ipvsadm -a -f 2 -r 203.0.113.1 -j');
    const before = tracesOf('203.0.113.1');
    lab.lvsj('ipvsadm -d -f 1 -r 203.0.113.1');
    assert.deepEqual(tracesOf('203.0.113.1'), before);
    lab.lvsj('ipvsadm -D -f 2');
    assert.deepEqual(tracesOf('203.0.113.1'), []);
    lab.lvsj('ipvsadm -a -f 1 -r 203.0.113.1 -j');
  });

  test('goes with its service, and all go with -C', () => {
    const fresh = stateNow();
    lab.lvsj('ipvsadm -D -f 1');
    assert.deepEqual(tracesOf('192.0.2.1'), []);
    assert.deepEqual(tracesOf('203.0.113.1'), []);
    assert.ok(tracesOf('2001:db8:1::1').length > 3);
    lab.lvsj('ipvsadm -C');
    assert.deepEqual(tracesOf('2001:db8:1::1'), []);
    assert.deepEqual(tracesOf('2001:db8:2::1'), []);
    // The same table makes the same objects.
    lab.restore(recipeTable);
    assertAsBefore(fresh);
  });
});
