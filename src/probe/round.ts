// One round: everything that a gateway's monitor asks of one family, all at once.

import type { ProbeConfig } from '../model/config.ts';
import type { ProbeResult, ProbeTarget } from '../monitor/types.ts';
import { type Answer, type Job, ok, unanswered, voided } from './answer.ts';
import { probeBfd } from './bfd.ts';
import { probeCommand } from './command.ts';
import { probeDns } from './dns.ts';
import { probeHttp } from './http.ts';
import { probeNeighbour } from './neighbour.ts';
import { probePing } from './ping.ts';
import { probeTcp } from './tcp.ts';
import { within } from './within.ts';

export interface RoundOptions {
  /** Of each probe. */
  timeoutMs: number;
  /** Ends the round at once: what has no answer yet is void. */
  signal: AbortSignal;
  /** Told of each probe as soon as it is known. */
  onResult?: (result: ProbeResult) => void;
}

/** Programs need time to start, too, which is none of the network's; with so much more they hang. */
const hangMs = 1000;

/** Asks all of them, which must be of the target's family; comes back when everything is known. */
export async function runRound(
  probes: ProbeConfig[],
  target: ProbeTarget,
  options: RoundOptions,
): Promise<ProbeResult[]> {
  const at = performance.now();
  const pings = pingAll(probes, target, options);
  const asked = probes.map(async (probe) => {
    const answer = await (probe.kind === 'ping'
      ? pings(probe.address)
      : ask(probe, target, options));
    const result: ProbeResult = { probe, at, ...answer };
    if (!options.signal.aborted) options.onResult?.(result);
    return result;
  });
  return Promise.all(asked);
}

/** Who is dead holds up nobody: each answer is known when it comes. */
function pingAll(
  probes: ProbeConfig[],
  target: ProbeTarget,
  { timeoutMs, signal }: RoundOptions,
): (address: string) => Promise<Answer> {
  const addresses = probes.flatMap((probe) => (probe.kind === 'ping' ? [probe.address] : []));
  const answers = new Map(addresses.map((each) => [each, Promise.withResolvers<Answer>()]));
  const onAnswer = (address: string, answer: Answer): void => answers.get(address)?.resolve(answer);
  if (addresses.length === 0 || target.source === '') return async () => withoutSource(target);
  const ms = timeoutMs + hangMs;
  let told = new Map<string, Answer>();
  const end = within({ ms, late: voided('fping hangs'), signal }, async (inner) => {
    told = await probePing({ addresses, target, timeoutMs, signal: inner, onAnswer });
    return ok(null);
  });
  void end.then(
    (failure) => {
      for (const address of addresses) onAnswer(address, told.get(address) ?? failure);
    },
    (error) => {
      for (const { reject } of answers.values()) reject(error);
    },
  );
  return (address) => answers.get(address)!.promise;
}

type Lone = Exclude<ProbeConfig, { kind: 'ping' }>;

async function ask(
  probe: Lone,
  target: ProbeTarget,
  { timeoutMs, signal }: RoundOptions,
): Promise<Answer> {
  if (needsSource(probe, target) && target.source === '') return withoutSource(target);
  const job: Job = { target, timeoutMs };
  // bfdd is of this machine: how soon it says what it knows tells nothing of the gateway.
  const isLocal = probe.kind === 'bfd';
  const ms = timeoutMs + (isLocal ? hangMs : 0);
  const late = isLocal ? voided('vtysh hangs') : unanswered(timeoutMs);
  return within({ ms, late, signal }, (inner) => start(probe, job, inner));
}

function start(probe: Lone, job: Job, signal: AbortSignal): Promise<Answer> {
  switch (probe.kind) {
    case 'tcp':
      return probeTcp(probe, job, signal);
    case 'dns':
      return probeDns(probe, job, signal);
    case 'http':
      return probeHttp(probe, job, signal);
    case 'neighbour':
      return probeNeighbour(job, signal);
    case 'bfd':
      return probeBfd(job, signal);
    case 'command':
      return probeCommand(probe, job, signal);
  }
}

/** What the others ask of this machine, or of the link alone, needs no address. */
const needsSource = ({ kind }: Lone, { family }: ProbeTarget): boolean =>
  kind === 'tcp' || kind === 'dns' || kind === 'http' || (kind === 'neighbour' && family === 4);

const withoutSource = ({ link, family }: ProbeTarget): Answer =>
  voided(`${link} has no IPv${family} address`);
