// One fault, its end, and what was noticed of it.

import { setTimeout as delay } from 'node:timers/promises';
import { clockMs } from '../../src/lab/clock.ts';
import { type Fault, type FaultSpec, setFault } from '../../src/lab/fault.ts';
import { clientProgram, inHost } from '../../src/lab/lab.ts';
import { type Isp, internet, type Lab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import type { Contender } from './contender.ts';
import type { Crowd } from './crowd.ts';
import { judgeHeld, lastFailed, longestGap } from './figures.ts';

export interface Scene {
  lab: Lab;
  contender: Contender;
  /** No fault lasts longer: what is not well by then is never well. */
  mostMs: number;
}

/** Times in ms since the fault; Infinity: not before its end. */
export interface RunFigures {
  isp: string;
  /** Until the last new connection that failed began. */
  newMs: number;
  /** Until it was known to be down; null where nobody says so. */
  knownMs: number | null;
  /** The longest silence of the UDP stream. */
  gapMs: number;
  /** How long each held connection of the dead link waited for an answer. */
  waitsMs: number[];
  /** Held connections of the other link that noticed something. */
  disturbed: number;
  /** Connections that noticed that all was well again, the stream among them. */
  movedBack: number;
  /** New connections that were made a second. */
  perSecond: number;
}

/** A connection is judged after its deadline of a second, and this process hears of it a moment later. */
const judgedMs = 1200;
/** New connections succeed again: none has failed for so long. */
const calmMs = 500;
/** The stream has an answer each 10 ms. */
const silentMs = 200;
/** Busy connections speak four times a second. */
const afterwardsMs = 400;
const pollMs = 20;
const readyMs = 20_000;

export async function makeRun(
  { lab, contender, mostMs }: Scene,
  crowd: Crowd,
  spec: FaultSpec,
): Promise<RunFigures> {
  await crowd.makeAll();
  const isp = await findStream(lab, crowd);
  const dead = isp.ipv4.address;
  crowd.forget();
  const fault = await setFault(lab, isp, spec);
  crowd.wakeIdle();
  let healed = 0;
  try {
    while (!(await isOver(crowd, fault)) && clockMs() < fault.at + mostMs) await delay(pollMs);
    healed = clockMs();
  } finally {
    await fault.heal();
  }
  const [requests, streamSeen] = [crowd.requests, crowd.streamSeen];
  await contender.up(isp);
  const up = clockMs();
  await delay(afterwardsMs);
  const { troubles } = await crowd.report();
  const held = judgeHeld(troubles, dead, { at: fault.at, healed, up });
  const streamMoved = Number(crowd.streamSeen !== streamSeen);
  return {
    isp: isp.host,
    newMs: newMs(requests, fault.at, healed),
    knownMs: sinceFault(contender.downAt?.(isp, fault.at), fault),
    gapMs: gapOf(crowd, fault.at, healed),
    ...held,
    movedBack: held.movedBack + streamMoved,
    perSecond: (requests.length / (healed - fault.at)) * 1000,
  };
}

/** The ISP by which the stream goes: the fault is to meet it. */
async function findStream(lab: Lab, crowd: Crowd): Promise<Isp> {
  crowd.forget();
  crowd.answers = [];
  const find = () => lab.isps.find(({ ipv4 }) => ipv4.address === crowd.streamSeen);
  await waitUntil('an answer to the UDP stream', () => find() !== undefined, readyMs);
  const works = () => crowd.requests.some(({ error }) => error === '');
  await waitUntil('an answer to a new connection', works, readyMs);
  return find()!;
}

async function isOver(crowd: Crowd, { at }: Fault): Promise<boolean> {
  if (newMs(crowd.requests, at, clockMs()) === Infinity) return false;
  if (clockMs() - (crowd.answers.at(-1)?.at ?? at) > silentMs) return false;
  return (await crowd.report()).waiting === 0;
}

/** Infinity as long as it is not known that they succeed. */
function newMs(requests: Crowd['requests'], at: number, now: number): number {
  const last = lastFailed(requests, at) ?? at;
  return now - judgedMs - last < calmMs ? Infinity : last - at;
}

function gapOf({ answers }: Crowd, at: number, healed: number): number {
  const silentAtTheEnd = healed - (answers.findLast((answer) => answer.at < healed)?.at ?? at);
  return silentAtTheEnd > silentMs ? Infinity : longestGap(answers, at, healed);
}

const sinceFault = (time: number | undefined, { at }: Fault): number | null =>
  time === undefined ? null : time - at;

/** Nobody but the probes uses the links, until they are known to be down. */
export async function makeIdleRun(
  { lab, contender, mostMs }: Scene,
  isp: Isp,
  spec: FaultSpec,
): Promise<RunFigures> {
  const fault = await setFault(lab, isp, spec);
  let newMs = Infinity;
  const known = () => contender.downAt?.(isp, fault.at);
  try {
    while (known() === undefined && clockMs() < fault.at + mostMs) await delay(1);
    if (known() !== undefined && connect(lab)) newMs = known()! - fault.at;
  } finally {
    await fault.heal();
  }
  await contender.up(isp);
  const nothing = { gapMs: 0, waitsMs: [], disturbed: 0, movedBack: 0, perSecond: 0 };
  return { isp: isp.host, newMs, knownMs: sinceFault(known(), fault), ...nothing };
}

/** Whether twenty new connections all succeed. */
function connect(lab: Lab): boolean {
  const words = `connect --url http://${internet.ipv4[0]}/ --count 20 --timeout 1`;
  const from = lab.clients.ipv4.flatMap((address) => ['--from', address]);
  const argv = [...clientProgram, ...words.split(' '), ...from];
  return !('failed' in JSON.parse(run(inHost(lab.name, 'lan', argv))));
}
