// Several directors on one machine: each in its own network namespace, found from every mount
// namespace, and alive with no process of ours. Needs root.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import type { StatusState } from '../../src/model/state.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import {
  type ClientOptions,
  DirectorLab,
  lvsjProgram,
  markNew,
  recipeTable,
  seen,
  serverAddress,
  snatAll,
} from './director-lab.ts';

const one = new DirectorLab('several-1');
const two = new DirectorLab('several-2');
const labs = [one, two];

/** The mirrored weights, under another mark. */
const otherTable = `
  -A -f 2 -s wrr
  -a -f 2 -r 192.0.2.1 -j -w 1
  -a -f 2 -r 203.0.113.1 -j -w 3`;

const shares = (first: number, second: number) => ({
  [seen[4].isp1]: first,
  [seen[4].isp2]: second,
});

function restoreBoth(): void {
  one.restore(recipeTable);
  two.restore(otherTable);
}

/** Entries in the kernel's table: -Lnc would not show those that are due and not yet gone. */
function entriesOf(lab: DirectorLab): number {
  return (JSON.parse(lab.lvsj('status --json')) as StatusState).connections.now;
}

/** Active and inactive connections and templates of all gateways of one service. */
function countsOf(lab: DirectorLab, service: string): number[] {
  const counts = lab.lvsj(`ipvsadm -Ln -f ${service}`).matchAll(/ReInj +\d+ +(\d+) +(\d+)/g);
  return [...counts].flatMap(([, active, inactive]) => [Number(active), Number(inactive)]);
}

describe('two directors at the same time', { timeout: 120_000 }, () => {
  before(async () => {
    await Promise.all(labs.map((lab) => lab.up()));
    one.director(`${markNew}\n${snatAll}`);
    two.director(`${markNew.replaceAll('--set-mark 1', '--set-mark 2')}\n${snatAll}`);
    restoreBoth();
  });
  after(() => Promise.all(labs.map((lab) => lab.down())));
  afterEach(() => {
    for (const lab of labs) lab.assertNoStrays();
  });

  test('each shows its own services only', () => {
    const services = (lab: DirectorLab) => lab.lvsj('ipvsadm -Ln').match(/^FWM.*$/gm);
    assert.deepEqual(services(one), ['FWM  1 wrr', 'FWM  1 IPv6 wrr']);
    assert.deepEqual(services(two), ['FWM  2 wrr']);
  });

  test('each shares its own connections, both at once', async () => {
    const options: ClientOptions = { count: 200, parallel: 5 };
    const [first, second] = await Promise.all([
      one.startConnect(4, options).result,
      two.startConnect(4, options).result,
    ]);
    assert.deepEqual(first, shares(150, 50));
    assert.deepEqual(second, shares(50, 150));
  });

  test('each is found from the mount namespace of the machine and from private ones', () => {
    for (const lab of labs) {
      const listing = lab.lvsj('ipvsadm -Ln');
      const net = `--net=/run/netns/lvsj-${lab.name}-director`;
      const command = [lvsjProgram, 'ipvsadm', '-Ln'];
      const freshSys = `mount -t sysfs sysfs /sys && exec ${command.join(' ')}`;
      assert.equal(run(['nsenter', net, ...command]), listing);
      assert.equal(run(['nsenter', net, 'unshare', '--mount', ...command]), listing);
      assert.equal(
        run(['nsenter', net, 'unshare', '--mount', 'sh', '-c', freshSys]),
        listing,
        'with a fresh /sys',
      );
    }
  });

  test('each can be changed from every mount namespace', () => {
    const net = `--net=/run/netns/lvsj-${one.name}-director`;
    const edit = (...args: string[]) => ['nsenter', net, ...args, lvsjProgram, 'ipvsadm'];
    run([...edit(), '-A', '-f', '7', '-s', 'rr']);
    run([...edit('unshare', '--mount'), '-a', '-f', '7', '-r', '203.0.113.1', '-j']);
    assert.match(one.lvsj('ipvsadm -Ln -f 7'), /203\.0\.113\.1:0 +ReInj/);
    run([...edit(), '-D', '-f', '7']);
    assert.doesNotMatch(one.lvsj('ipvsadm -Ln'), /FWM {2}7/);
  });

  test('a stop and a start of one does not touch the other, nor its connections', async () => {
    const download = one.download(4, 60_000, 50_000);
    await download.started;
    const before = namespaceState(one.name, 'director');
    two.lvsj('stop');
    two.restore(otherTable);
    two.lvsj('ipvsadm -C');
    two.lvsj('stop');
    assert.deepEqual(diffNamespaceStates(before, namespaceState(one.name, 'director')), []);
    const { ok, error } = await download.result;
    assert.deepEqual([ok, error], [true, undefined]);
    assert.deepEqual(one.connect(4, { count: 40 }), shares(30, 10));
    two.restore(otherTable);
  });

  test('the end of one namespace, with its director running, leaves the other', async () => {
    const dead = two.inode('director');
    run(['ip', 'netns', 'del', `lvsj-${two.name}-director`]);
    await two.down();
    assert.deepEqual(one.connect(4, { count: 40 }), shares(30, 10));
    await two.up();
    two.director(`${markNew.replaceAll('--set-mark 1', '--set-mark 2')}\n${snatAll}`);
    // Whichever director is started next takes away the pin of the dead one.
    two.restore(otherTable);
    const pins = readdirSync('/sys/fs/bpf').filter((pin) => pin.includes(`-${dead}-`));
    // The kernel likes to give the number to the next namespace, here or in a test beside this one.
    const folder = '/run/netns';
    const alive = readdirSync(folder).map(
      (name) => statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.ino,
    );
    assert.ok(pins.length === 0 || alive.includes(dead), pins.join());
    assert.deepEqual(two.connect(4, { count: 40 }), shares(10, 30));
  });

  test('connections of both expire when every process and mount namespace of ours is gone', async (t) => {
    restoreBoth();
    t.after(restoreBoth);
    // Idle connections that nobody closes.
    const idle = `exec 3<>/dev/tcp/${serverAddress[4]}/7; echo >&2; read -r forever <&3`;
    const open = labs.map((lab) => lab.start('lan', ['bash', '-c', idle]));
    t.after(() => {
      for (const each of open) each.kill();
    });
    await Promise.all(open.map(({ started }) => started));
    for (const lab of labs) {
      lab.udp(4, { sockets: 4, count: 4 });
      assert.equal(lab.connections().filter((line) => line.endsWith(':7')).length, 5);
    }
    for (const lab of labs) lab.lvsj('ipvsadm --set 1 1 1');
    const gone = () => labs.every((lab) => !lab.connections().some((line) => line.endsWith(':7')));
    await waitUntil('end of the connections to port 7', gone);
  });

  test('persistence and counters expire too', async (t) => {
    // A TCP connection that was closed has two minutes to go: begin with an empty table.
    one.lvsj('stop');
    one.restore(recipeTable.replaceAll('wrr', 'wrr -p 3'));
    t.after(() => one.restore(recipeTable));
    one.udp(4, { sockets: 8, count: 8 });
    assert.equal(one.connections().filter((line) => line.startsWith('IP ')).length, 4);
    one.lvsj('ipvsadm --set 1 1 1');
    const idle = () => countsOf(one, '1').every((count) => count === 0) && entriesOf(one) === 0;
    await waitUntil('an empty table', idle, 10_000);
  });
});
