// Asks hosts by ICMP echo: all of a round in one run of fping.

import { runTimed } from '../util/run-timed.ts';
import { type Answer, type Job, ok, silent, toDetail, voided } from './answer.ts';

/** Between two requests, in ms. */
const gapMs = 1;

export interface PingJob extends Job {
  addresses: string[];
  signal: AbortSignal;
  /** Told of each that answers, while the others are still awaited. */
  onAnswer: (address: string, answer: Answer) => void;
}

/** The answer of each address. */
export async function probePing(job: PingJob): Promise<Map<string, Answer>> {
  const { addresses, target, timeoutMs, signal, onAnswer } = job;
  const { family, link, source, mark, firstOfLink } = target;
  const argv = ['fping', `-${family}`, '-c1', '-i', `${gapMs}`, '-t', `${timeoutMs}`];
  // Before version 5.2 (Debian 12) it cannot mark, which is needed only for the other gateways of a link.
  argv.push('-I', link, '-S', source, ...(firstOfLink ? [] : ['-k', `${mark}`]));
  const onStdout = (written: string): void => {
    for (const [address, answer] of parseFping(written, '', timeoutMs))
      if (answer.outcome === 'ok') onAnswer(address, answer);
  };
  const run = await runTimed([...argv, ...addresses], signal, { onStdout });
  const { stdout, stderr, status } = run;
  const told = parseFping(stdout, stderr, timeoutMs);
  const reason = /option.*k'/.test(stderr)
    ? `this fping cannot mark packets for one of several gateways of ${link}: version 5.2 can`
    : toDetail(stderr) || `fping ended with status ${status}`;
  return new Map(addresses.map((address) => [address, told.get(address) ?? voided(reason)]));
}

/** The answers in what `fping -c1` writes, by address. */
export function parseFping(stdout: string, stderr: string, timeoutMs: number): Map<string, Answer> {
  const refused = /^(ICMP .*) for ICMP Echo sent to (\S+)/gm;
  const reasons = new Map([...stderr.matchAll(refused)].map(([, why, to]) => [to, why]));
  const line = /^(\S+) +: \[0\], (?:timed out|\d+ bytes, ([\d.]+) ms)/gm;
  return new Map(
    [...stdout.matchAll(line)].map(([, address = '', rtt]) => [
      address,
      rtt === undefined
        ? silent(reasons.get(address) ?? `no answer in ${timeoutMs} ms`)
        : ok(Number(rtt)),
    ]),
  );
}
