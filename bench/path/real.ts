// A lab in which real clients reach a real server by one peer: what the clients say of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Counts } from '../../src/lab/client-connect.ts';
import type { Download } from '../../src/lab/client-download.ts';
import type { Request } from '../../src/lab/client-requests.ts';
import { clientProgram, inHost, labUp } from '../../src/lab/lab.ts';
import { internet, type Lab, planLab } from '../../src/lab/topology.ts';
import { run, tryRun } from '../../src/util/run.ts';
import { Refused } from '../rows.ts';
import { labName } from './labs.ts';
import type { Counted, Peer } from './peers.ts';

const url = `http://${internet.ipv4[0]}`;
const parallel = 50;
const latencyMs = 3000;
const perSecond = 100;
/** Of a download's packets, those that went the way that is measured: its first and last ones never do. */
const leastCounted = 0.9;

export interface Real {
  name: string;
  lab: Lab;
  /** Where the clients are, and their addresses. */
  host: string;
  from: string[];
  counted?: Counted;
}

export async function makeReal(peer: Peer): Promise<Real> {
  const lab = planLab({ name: labName(peer.name), isps: peer.isps });
  await labUp(lab);
  run(inHost(lab.name, 'director', ['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0']));
  const counted = await peer.setUp(lab);
  const real = { name: peer.title, lab, host: 'lan', from: lab.clients.ipv4 };
  return counted ? { ...real, counted } : real;
}

/** The same clients at the first ISP of a lab: what they and the server can do. */
export const withoutGateway = ({ lab }: Real): Real => ({
  ...{ name: 'no gateway', lab, host: 'isp1', from: [lab.isps[0]!.ipv4.gateway] },
});

function clientArgv({ lab, host, from }: Real, words: string[]): string[] {
  const addresses = from.flatMap((address) => ['--from', address]);
  return inHost(lab.name, host, [...clientProgram, ...words, ...addresses]);
}

function secondsOf(real: Real, count: number): number {
  const words = ['connect', '--url', `${url}/`, '--count', String(count)];
  const argv = clientArgv(real, [...words, '--parallel', String(parallel)]);
  const start = performance.now();
  const { failed } = JSON.parse(run(argv)) as Counts;
  if (failed) throw new Refused(`${real.name}: ${failed} of ${count} connections failed`);
  return (performance.now() - start) / 1000;
}

/** Connect, request, answer, end, `parallel` at once. The start of the program is subtracted. */
export const connectionsPerSecond = (real: Real, count: number): number =>
  count / (secondsOf(real, count) - secondsOf(real, 1));

/** Milliseconds from the start of each connection to the end of its answer, at a rate that loads nobody; Infinity: none came. */
export async function latencies(real: Real): Promise<number[]> {
  const words = ['requests', '--url', `${url}/`, '--rate', String(perSecond)];
  const [command, ...args] = clientArgv(real, words);
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  await Promise.race([delay(latencyMs), once(child, 'exit')]);
  child.kill();
  const lines = (await said).trim().split('\n');
  const requests = lines.map((line) => JSON.parse(line) as Request);
  return requests.map(({ start, end, error }) => (error === '' ? end - start : Infinity));
}

/** Packets from the uplinks, and those of them that went the way that is measured. */
function countBack({ counted }: Real): { all: number; meant: number } {
  if (!counted) return { all: 0, meant: 0 };
  const verdicts = counted.maps.verdicts()[counted.back.hook] ?? [];
  const all = Number(verdicts.reduce((sum, count) => sum + count, 0n));
  return { all, meant: Number(verdicts[counted.back.verdict] ?? 0n) };
}

/** Bits a second of one download. */
export function throughput(real: Real, bytes: number): number {
  const before = countBack(real);
  const one = { ...real, from: real.from.slice(0, 1) };
  const words = ['download', '--url', `${url}/bytes?n=${bytes}`];
  const { ok, seconds, error } = JSON.parse(run(clientArgv(one, words))) as Download;
  if (!ok) throw new Refused(`${real.name}: the download failed: ${error}`);
  const after = countBack(real);
  const [all, meant] = [after.all - before.all, after.meant - before.meant];
  if (real.counted && meant < all * leastCounted)
    throw new Refused(
      `${real.name}: of ${all} packets only ${meant} went the way that is measured`,
    );
  return (bytes * 8) / seconds;
}

/** Whether the lab's links pass packets on that are longer than the MTU, and make such. */
export function setOffloads({ lab }: Real, on: boolean): void {
  const words = ['gso', 'tso', 'gro'].map((what) => `${what} ${on ? 'on' : 'off'}`).join(' ');
  // Not all links have all of them.
  const script = `for link in /sys/class/net/eth*; do ethtool -K "\${link##*/}" ${words}; done`;
  for (const { host } of lab.hosts) {
    const { status, stderr } = tryRun(inHost(lab.name, host, ['sh', '-c', script]));
    if (status !== 0) throw new Refused(`ethtool: ${stderr.trim()}`);
  }
}
