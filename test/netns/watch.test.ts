// How soon the kernel's events come to this process, and which of them make it look. Needs root.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { IpEvent, LinkEvent } from '../../src/kernel/ip-events.ts';
import { watchNetwork } from '../../src/kernel/watch.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { enterNamespace } from '../bpf/namespace.ts';

enterNamespace();

/** Does one line of `ip -batch` at once: a program's start would be measured, too. */
const ip = spawn('ip', ['-force', '-batch', '-'], { stdio: ['pipe', 'inherit', 'inherit'] });
const change = (...lines: string[]): void => void ip.stdin.write(`${lines.join('\n')}\n`);

let looks = 0;
let events: IpEvent[] = [];
const told = (event: IpEvent): void => void events.push(event);
const watch = watchNetwork(() => looks++, {
  ...{ link: told, address: told, neighbour: told },
  hasNeighbours: (link) => link === 'wan1',
});
after(() => {
  watch.close();
  ip.stdin.end();
});

/** Of this process that watch; also of this test file's other program. */
function watchers(): number[] {
  const tasks = readdirSync('/proc/self/task');
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '),
  );
  return children
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('monitor'))
    .map(Number);
}

const linkOf = (name: string): LinkEvent | undefined =>
  events.filter((event) => event.kind === 'link').findLast(({ link }) => link === name);
const until = (what: string, condition: () => boolean): Promise<void> => waitUntil(what, condition);

/** These make it look so often, no more: behind them stands a route that does, and then another. */
async function assertLooks(want: number, ...lines: string[]): Promise<void> {
  const [before, fence] = [looks, 'route replace default via 192.0.2.1 metric 77'];
  change(...lines, fence);
  await until(`${want} looks`, () => looks > before + want);
  change(fence);
  await until('one more', () => looks > before + want + 1);
  // An address that was found to be nobody else's may be told in between.
  assert.ok(looks <= before + want + 4, `${looks - before} looks`);
}

describe('the watch of a network namespace', { timeout: 60_000 }, () => {
  // Once: an ip that has seen a link keeps its number.
  before(async () => {
    change(
      ...['link add wan1 type veth peer name wan1p', 'link add lan0 type veth peer name lan0p'],
      ...['wan1', 'wan1p', 'lan0', 'lan0p'].map((link) => `link set ${link} up`),
      ...['address add 192.0.2.2/24 dev wan1', 'address add 10.0.0.1/24 dev lan0'],
    );
    const isUp = (name: string) => linkOf(name)?.carrier === true;
    await until('both links', () => isUp('wan1') && isUp('lan0'));
  });
  beforeEach(() => {
    events = [];
  });

  test('tells of a lost carrier at once', async (t) => {
    const took: number[] = [];
    for (let i = 0; i < 10; i++) {
      for (const [word, carrier] of [
        ['down', false],
        ['up', true],
      ] as const) {
        const start = performance.now();
        change(`link set wan1p ${word}`);
        const event = new Promise<void>((resolve) => {
          const look = () => (linkOf('wan1')?.carrier === carrier ? resolve() : setImmediate(look));
          look();
        });
        await event;
        if (!carrier) took.push(performance.now() - start);
      }
    }
    const sorted = took.toSorted((a, b) => a - b).map((ms) => Math.round(ms * 10) / 10);
    t.diagnostic(`a lost carrier is told after so many ms: ${sorted.join(' ')}`);
    assert.ok(sorted[5]! < 200);
  });

  test('tells of a link that its admin takes down', async () => {
    change('link set wan1 down');
    await until('it is down', () => linkOf('wan1')?.up === false);
    change('link set wan1 up', 'address replace 192.0.2.2/24 dev wan1');
    await until('it is up', () => linkOf('wan1')?.carrier === true);
  });

  test('tells of addresses that come and go', async () => {
    const has = (deleted: boolean) => (): boolean =>
      events.some(
        (event) =>
          event.kind === 'address' && event.address === '192.0.2.3' && event.deleted === deleted,
      );
    change('address add 192.0.2.3/24 dev wan1');
    await until('it came', has(false));
    change('address del 192.0.2.3/24 dev wan1');
    await until('it went', has(true));
  });

  test("tells of a gateway link's neighbours, and of no other's", async () => {
    const neighbours = ['10.0.0.9 dev lan0', '192.0.2.1 dev wan1'];
    change(...neighbours.map((each) => `neigh add ${each} lladdr 02:00:00:00:00:09 nud reachable`));
    change(...neighbours.map((each) => `neigh change ${each} nud failed`));
    const of = (link: string) =>
      events.filter((event) => event.kind === 'neighbour' && event.link === link);
    await until('it failed', () =>
      of('wan1').some((each) => 'state' in each && each.state === 'FAILED'),
    );
    assert.deepEqual(of('lan0'), []);
  });

  test('looks at default routes and at what may be ours, at no others', async () => {
    const others = Array.from({ length: 50 }, (_, i) => [
      `route add 10.${i}.1.0/24 via 192.0.2.1`,
      `route add default via 192.0.2.1 table ${100 + i}`,
    ]).flat();
    await assertLooks(0, ...others);
    const ours = ['add', 'del'].map((verb) => `route ${verb} default via 192.0.2.1 table 20101`);
    await assertLooks(2, ...ours);
    const rules = ['add', 'del'].map((verb) => `rule ${verb} priority 20102 fwmark 2 lookup 100`);
    change(...rules);
    const before = looks;
    await until('a look for each rule', () => looks >= before + 2);
  });

  test('does not look at addresses that are told again as they are', async () => {
    const add = 'address replace 2001:db8::2/64 dev wan1 nodad';
    change(`${add} valid_lft 3600 preferred_lft 1800`);
    const count = () =>
      events.filter((event) => event.kind === 'address' && event.address === '2001:db8::2').length;
    await until('it came', () => count() > 0);
    const [looked, heard] = [looks, count()];
    change(`${add} valid_lft 7200 preferred_lft 3600`);
    await until('it was told again', () => count() > heard);
    assert.equal(looks, looked);
  });

  test('looks, and goes on, when its programs end', async () => {
    const ended = watchers();
    assert.equal(ended.length, 2);
    const before = looks;
    for (const pid of ended) process.kill(pid, 'SIGKILL');
    await until('a look for each', () => looks >= before + 2);
    await until('others in their place', () => watchers().length === 2);
    events = [];
    await until('it tells again', () => {
      change('link set wan1 mtu 1400', 'link set wan1 mtu 1500');
      return linkOf('wan1') !== undefined;
    });
  });
});
