// Whatever an admin does with ipvsadm while connections come and go: the director stays what
// operations-model.ts says. The same lives each time, so that what one finds is found again:
// OPERATIONS_SEED, OPERATIONS_PATH and OPERATIONS_RUNS ask for others.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { defaultContext } from '../../src/ipvsadm/command.ts';
import { runIpvsadm } from '../../src/ipvsadm/run.ts';
import { readConnections } from '../../src/kernel/read-connections.ts';
import { writeTable, zeroCounters } from '../../src/kernel/write-table.ts';
import type { Service, ServiceKey, Table } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import { assertObjects } from './objects.ts';
import { clients, keys, life, markMask, type Op, type Packets, shortestS } from './operations.ts';
import { OperationsModel, settingsOf } from './operations-model.ts';
import { toService } from './service.ts';

const { OPERATIONS_SEED, OPERATIONS_PATH, OPERATIONS_RUNS } = process.env;
/** As many lives as there is time for: an edit takes the kernel some 20 ms. */
const timeLimitMs = OPERATIONS_RUNS ? Number.POSITIVE_INFINITY : 6000;
/** Picks of a round, at most. */
const longestRound = 40;

const bed = openBed({ markMask });
after(() => bed.close());
const always = bed.table.services;

/** `lvsj ipvsadm`, in this process; what it prints. */
function ipvsadm(words: string, stdin = ''): { status: number; out: string; err: string } {
  const { director } = bed;
  let [out, err] = ['', ''];
  const status = runIpvsadm(words.split(' '), {
    context: () => ({ ...defaultContext, markMask: director.settings.markMask }),
    readTable: () => bed.table,
    readConnections: () => [...readConnections(director)],
    writeTable: (edit) => writeTable(director, edit),
    zero: (key) => zeroCounters(director, key),
    stdin: () => stdin,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}

/** No connections; the four services without gateways. */
function begin(): OperationsModel {
  bed.forget();
  const timeoutS = bed.director.settings.timeoutS.map(() => shortestS);
  bed.setSettings({ timeoutS, icmpTimeoutS: shortestS, otherTimeoutS: shortestS });
  const empty = keys.map((key) => toService({ ...key, scheduler: 'lc' }));
  bed.edit((table) => ({ ...table, services: [...always, ...empty] }));
  return new OperationsModel(bed);
}

/** The timer may just be taking a template away that is over. */
function assertExactSoon(): void {
  for (let tries = 1; tries < 5; tries++) {
    try {
      assertExact(bed);
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
  assertExact(bed);
}

function command(model: OperationsModel, lines: string[]): void {
  const before = model.objects;
  applyCommand(model, lines);
  model.checkTable();
  if (model.objects !== before) assertObjects(bed);
}

function applyCommand(model: OperationsModel, lines: string[]): void {
  const [first = '', ...more] = lines;
  const { status, err } = more.length === 0 ? ipvsadm(first) : ipvsadm('-R', lines.join('\n'));
  assert.equal(status, model.follow(lines), `${lines.join('\n')}: ${err}`);
  if (status !== 0 || more.length > 0 || !first.startsWith('-Z')) return;
  const zeroed = bed.table.services.filter(({ fwmark, family }) => {
    const key = `-f ${fwmark}${family === 6 ? ' -6' : ''}`;
    return first === '-Z' || first === `-Z ${key}`;
  });
  for (const { totals } of zeroed) assert.ok(Object.values(totals).every((total) => total === 0n));
}

/** What stands for TCP's flags in SCTP. */
const chunks: Record<string, string> = {
  ...{ S: 'INIT', SA: 'INIT-ACK', A: 'COOKIE-ECHO', FA: 'SHUTDOWN', R: 'ABORT', RA: 'ABORT' },
};

function send(model: OperationsModel, flow: Flow, fwmark: number, op: Packets): void {
  for (const step of op.packets.split(' ')) {
    const flags = step.slice(1);
    const words = flow.protocol === 'sctp' ? chunks[flags] : flags;
    if (step.startsWith('o')) {
      model.egress(flow, () => bed.run('egress', flow.down(words)));
      continue;
    }
    const up = flow.up(words);
    if (op.ingress && !model.ingress(flow, flags, () => bed.run('ingress', up))) continue;
    model.director(flow, flags, fwmark, () => bed.run('director', up, fwmark));
  }
}

function sendMore(model: OperationsModel, op: Extract<Op, { do: 'more' }>): void {
  const { homes } = model;
  const home = homes[op.which % homes.length];
  if (home) send(model, home.flow, home.fwmark, op);
}

function expire(model: OperationsModel, { which, count }: Extract<Op, { do: 'expire' }>): void {
  const { homes } = model;
  const first = homes.length === 0 ? 0 : which % homes.length;
  model.expire(homes.slice(first, first + count).map(({ flow }) => flow));
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** How often each gateway comes in a round; undefined if that is not for us to say. */
function roundOf(service: Service | undefined): Map<string, number> | undefined {
  if (!service || service.persistence > 0) return undefined;
  const { scheduler, gateways } = service;
  if (gateways.some(({ upper }) => upper > 0) || !['rr', 'wrr'].includes(scheduler))
    return undefined;
  const open = gateways.filter(({ weight }) => weight > 0);
  const unit = open.reduce((divisor, { weight }) => gcd(divisor, weight), 0);
  const turns = open.map(({ weight }) => (scheduler === 'rr' ? 1 : weight / unit));
  if (turns.reduce((a, b) => a + b, 0) > longestRound) return undefined;
  return new Map(open.map(({ address }, i) => [address, turns[i]!]));
}

let nextPort = 0;
let rounds = 0;

/** A connection that was never there, for the service: from a port of its own. */
function openNew(model: OperationsModel, client: string, fwmark: number): [Flow, string] {
  nextPort = (nextPort + 1) % 50_000;
  const flow = new Flow({ client, port: 10_000 + nextPort });
  const run = () => bed.run('director', flow.up(), fwmark);
  return [flow, bed.gatewayOf(model.director(flow, 'S', fwmark, run).mark)];
}

function fill(model: OperationsModel, { service, count }: Extract<Op, { do: 'fill' }>): void {
  const { fwmark, family } = keys[service]!;
  const all = clients[family];
  for (let i = 0; i < count; i++) openNew(model, all[i % all.length]!, fwmark);
}

/** From wherever the scheduler stands. */
function round(model: OperationsModel, number: number): void {
  const order = [...keys.slice(number), ...keys.slice(0, number)];
  const suits = (key: ServiceKey) => roundOf(model.service(key.fwmark, key.family)) !== undefined;
  const { fwmark, family } = order.find(suits) ?? order[0]!;
  const turns = roundOf(model.service(fwmark, family));
  if (!turns) return;
  rounds++;
  const [flows, came]: [Flow[], Map<string, number>] = [[], new Map()];
  for (let left = [...turns.values()].reduce((a, b) => a + b, 0); left > 0; left--) {
    const [flow, gateway] = openNew(model, family === 4 ? '10.9.0.1' : 'fd09::1', fwmark);
    flows.push(flow);
    came.set(gateway, (came.get(gateway) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(came), Object.fromEntries(turns), 'shares of a round');
  model.expire(flows);
}

/** What -S keeps: not the order, nor the netmask of a service without persistence. */
function saved(table: Table): unknown {
  const { services, timeouts } = settingsOf(table);
  return {
    timeouts,
    services: services.map((service) => ({
      ...service,
      netmask: service.persistence > 0 && service.netmask,
      gateways: service.gateways.toSorted((a, b) => (a.address < b.address ? -1 : 1)),
    })),
  };
}

function saveAndRestore(model: OperationsModel): void {
  const [before, { out }] = [saved(bed.table), ipvsadm('-S')];
  command(model, ['-C']);
  assert.equal(ipvsadm('-S').out, '');
  assert.equal(ipvsadm('-R', out).status, model.follow(out.split('\n')));
  model.checkTable();
  assertObjects(bed);
  assert.equal(ipvsadm('-S').out, out);
  assert.deepEqual(saved(bed.table), before);
  for (const { flow, fwmark } of model.homes)
    send(model, flow, fwmark, { packets: 'iA', ingress: false });
}

function apply(model: OperationsModel, op: Op): void {
  if (op.do === 'commands') command(model, op.lines);
  else if (op.do === 'open') send(model, new Flow(op.flow), op.fwmark, op);
  else if (op.do === 'more') sendMore(model, op);
  else if (op.do === 'fill') fill(model, op);
  else if (op.do === 'expire') expire(model, op);
  else if (op.do === 'forget-clients') model.forgetClients();
  else if (op.do === 'round') round(model, op.service);
  else saveAndRestore(model);
}

/** By the timer: templates of the last life too. */
async function endAll(): Promise<void> {
  // Not those that the timer may be taking away: they would be put back.
  bed.changeConnections((_, conn) => (conn.seenNs === 0n ? conn : { ...conn, seenNs: 0n }));
  await waitUntil('an empty table', () => bed.connections.length === 0, 15_000);
  assertExact(bed);
}

test('counters are exact, connections stay, choices are allowed, and the table is what was asked for', async (t) => {
  let lives = 0;
  const property = fc.property(life, (ops) => {
    const model = begin();
    for (const op of ops) {
      apply(model, op);
      model.check();
      assertExactSoon();
    }
    lives++;
  });
  fc.assert(property, {
    seed: Number(OPERATIONS_SEED ?? 1),
    ...(OPERATIONS_PATH ? { path: OPERATIONS_PATH } : {}),
    numRuns: Number(OPERATIONS_RUNS ?? 100),
    interruptAfterTimeLimit: timeLimitMs,
  });
  await endAll();
  t.diagnostic(`${lives} lives, ${rounds} rounds`);
});
