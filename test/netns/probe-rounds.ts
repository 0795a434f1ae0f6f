// A program that probes, in the network namespace that it is started in: reads what to ask as JSON from
// stdin, asks it all at once, and writes what came of it.

import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeConfig } from '../../src/model/config.ts';
import type { ProbeResult, ProbeTarget } from '../../src/monitor/types.ts';
import { runRound } from '../../src/probe/round.ts';

export interface Asking {
  target: ProbeTarget;
  probes: ProbeConfig[];
}

export interface Ask {
  askings: Asking[];
  timeoutMs: number;
  /** Rounds, one every 100 ms whether the one before has ended or not. */
  rounds: number;
}

export interface Asked {
  /** Of each asking's last round. */
  results: ProbeResult[][];
  /** Files that are open afterwards and were not before. */
  leaked: number;
}

const countFiles = (): number => readdirSync('/proc/self/fd').length;

async function main({ askings, timeoutMs, rounds }: Ask): Promise<Asked> {
  const { signal } = new AbortController();
  const before = countFiles();
  const running: Promise<ProbeResult[][]>[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await delay(100);
    const asked = askings.map(({ target, probes }) =>
      runRound(probes, target, { timeoutMs, signal }),
    );
    running.push(Promise.all(asked));
  }
  const results = await Promise.all(running);
  // Sockets are closed at the end of the loop's turn.
  await delay(0);
  return { results: results.at(-1) ?? [], leaked: countFiles() - before };
}

if (import.meta.main)
  process.stdout.write(JSON.stringify(await main(JSON.parse(await text(process.stdin)) as Ask)));
