// Asks the next hop for its hardware address, by ARP or neighbour discovery, beside the kernel's own table:
// entries there are used by traffic, and a probe must neither keep one alive nor make it fail.

import { readFile } from 'node:fs/promises';
import { runTimed } from '../util/run-timed.ts';
import { type Answer, type Job, ok, toDetail, unanswered, voided } from './answer.ts';

const IFF_NOARP = 0x80;

export async function probeNeighbour(job: Job, signal: AbortSignal): Promise<Answer> {
  const { nextHop, link, family } = job.target;
  if (nextHop === '' || !(await hasNeighbours(link))) return voided(`${link} has no neighbours`);
  return family === 4 ? askArp(job, signal) : askDiscovery(job, signal);
}

/** Point-to-point links have none. */
async function hasNeighbours(link: string): Promise<boolean> {
  const flags = await readFile(`/sys/class/net/${link}/flags`, 'utf8').catch(() => '0');
  return (Number(flags) & IFF_NOARP) === 0;
}

async function askArp({ target, timeoutMs }: Job, signal: AbortSignal): Promise<Answer> {
  // It knows whole seconds only: what is late by our time is sorted out here.
  const seconds = Math.ceil(timeoutMs / 1000);
  const { status, stdout, stderr } = await runTimed(
    ['arping', '-f', '-c1', `-w${seconds}`, '-I', target.link, '-s', target.source, target.nextHop],
    signal,
  );
  if (status !== 0 && status !== 1) return voided(`arping: ${toDetail(stderr)}`);
  const rttMs = parseArping(stdout);
  return rttMs !== undefined && rttMs <= timeoutMs ? ok(rttMs) : unanswered(timeoutMs);
}

/** The round-trip time of an answer; undefined if there is none. */
export function parseArping(stdout: string): number | undefined {
  const [, rtt] = /^Unicast reply from .*\] +([\d.]+)ms$/m.exec(stdout) ?? [];
  return rtt === undefined ? undefined : Number(rtt);
}

async function askDiscovery({ target, timeoutMs }: Job, signal: AbortSignal): Promise<Answer> {
  const { status, stderr } = await runTimed(
    ['ndisc6', '-1', '-n', '-r1', '-w', `${timeoutMs}`, target.nextHop, target.link],
    signal,
  );
  // How long it took is told by nothing.
  if (status === 0) return ok(null);
  return status === 2 ? unanswered(timeoutMs) : voided(`ndisc6: ${toDetail(stderr)}`);
}
