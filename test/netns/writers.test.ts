// Two programs that change one director at the same time: nothing of what either does is lost. Needs
// root.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultContext, isEdit } from '../../src/ipvsadm/command.ts';
import { editTable } from '../../src/ipvsadm/edit.ts';
import { parseRestore } from '../../src/ipvsadm/restore.ts';
import { formatSave } from '../../src/ipvsadm/save.ts';
import {
  diffNamespaceStates,
  type NamespaceState,
  namespaceState,
} from '../../src/lab/namespace-state.ts';
import type { StatusState } from '../../src/model/state.ts';
import type { Table } from '../../src/model/table.ts';
import { DirectorLab } from './director-lab.ts';

const lab = new DirectorLab('writers');

const operations = 200;
/** The service to which both add gateways. */
const shared = '-f 1';
const begin = [`-A ${shared} -s wlc`];

/** A writer's own gateways, each on its own ISP's link; `.1` is the ISP itself. */
const gateways = (net: string): string[] =>
  Array.from({ length: 12 }, (_, i) => `${net}.${10 + i}`);

/**
 * 200 commands: its services come and go, its gateways of the shared service too, and in between
 * it edits what it has, which is quicker.
 */
function commandsOf(first: number, net: string): string[] {
  const own = gateways(net);
  const marks = own.map((_, i) => first + i);
  const lines = [
    ...marks.flatMap((mark, i) => [
      `-A -f ${mark} -s rr`,
      `-a -f ${mark} -r ${own[i]} -j -w ${i}`,
      `-a ${shared} -r ${own[i]} -j`,
      `-E -f ${mark} -s wrr -p ${60 + i}`,
    ]),
    ...marks.slice(0, 3).flatMap((mark, i) => [`-D -f ${mark}`, `-d ${shared} -r ${own[i]}`]),
  ];
  const edits = Array.from({ length: operations - lines.length }, (_, n) => {
    const i = 3 + (n % (own.length - 3));
    const service = n % 2 === 0 ? shared : `-f ${marks[i]}`;
    return `-e ${service} -r ${own[i]} -j -w ${n} -x ${n + 1}`;
  });
  return [...lines, ...edits];
}

const writers = [commandsOf(100, '192.0.2'), commandsOf(200, '203.0.113')];

/** What -S prints after these commands, whatever their order between the writers. */
function savedAfter(commands: string[]): string {
  let table: Table = { services: [], timeouts: { tcp: 0, tcpFin: 0, udp: 0 }, size: 0 };
  for (const line of parseRestore(commands.join('\n'), defaultContext)) {
    assert.ok('command' in line && isEdit(line.command));
    table = editTable(table, line.command);
  }
  return formatSave(table, 'ReInj');
}

/** One process for each command, both writers at once; what any of them printed, and its status. */
function runTogether(): string {
  const scripts = writers.map((commands) =>
    commands.map((words) => `lvsj ipvsadm ${words} 2>&1 || echo "$?: ${words}"`).join('\n'),
  );
  return lab.director(`${scripts.map((script) => `(\n${script}\n) &`).join('\n')}\nwait`);
}

const addressesOf = (text: string): string[] =>
  [...new Set([...text.matchAll(/-r ([\d.]+)/g)].map(([, address]) => address as string))].sort();

/** The kernel's rules, routes and nftables; services' rules stand in the order in which they came. */
function objectsNow(): NamespaceState {
  const state = namespaceState(lab.name, 'director');
  for (const name of ['ip rule', 'ip -6 rule'])
    state[name] = state[name]!.split('\n').sort().join('\n');
  return state;
}

describe(`two writers with ${operations} commands each`, { timeout: 180_000 }, () => {
  before(async () => {
    await lab.up();
    lab.restore(begin.join('\n'));
  });
  after(() => lab.down());

  test('do not fail', () => {
    for (const commands of writers) assert.equal(commands.length, operations);
    assert.equal(runTogether(), '');
  });

  test('leave the table that their commands make', () => {
    assert.equal(lab.lvsj('ipvsadm -Sn'), savedAfter([...begin, ...writers.flat()]));
  });

  test('leave the gateways of that table, each with one number', () => {
    const { gateways } = JSON.parse(lab.lvsj('status --json')) as StatusState;
    const present = gateways.filter((gateway) => gateway.present);
    const addresses = present.map(({ address }) => address).sort();
    assert.deepEqual(addresses, addressesOf(lab.lvsj('ipvsadm -Sn')));
    assert.equal(new Set(present.map(({ id }) => id)).size, present.length);
  });

  test('leave the rules, routes and nftables rules that the table needs, and no others', () => {
    const [saved, left] = [lab.lvsj('ipvsadm -Sn'), objectsNow()];
    // Made from nothing by one writer: gateways get their numbers back.
    lab.lvsj('ipvsadm -C');
    assert.notDeepEqual(diffNamespaceStates(left, objectsNow()), []);
    lab.lvsj('ipvsadm -R', saved);
    assert.deepEqual(diffNamespaceStates(left, objectsNow()), []);
  });
});
