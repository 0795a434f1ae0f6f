// Connections that talk while a test changes things: src/lab/client-steady.ts on a lab's LAN.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Steady } from '../../src/lab/client-steady.ts';
import { clientProgram, inHost } from '../../src/lab/lab.ts';
import type { Family } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { type DirectorLab, serverAddress } from './director-lab.ts';

export interface SteadyRun {
  /** Waits until every connection, on average, had so many more answers. */
  rounds(count: number): Promise<void>;
  /** Asks each connection a last time; what became of them. */
  end(): Promise<Steady>;
  kill(): void;
}

export interface SteadyChoice {
  count?: number;
  udp?: boolean;
  /** Seconds; together they say how much the connections talk, and what silence breaks them. */
  interval?: number;
  timeout?: number;
  from?: string[];
  host?: string;
  /** The internet host if not said. */
  to?: string;
}

/** Starts them; comes back when all stand. */
export async function startSteady(
  lab: DirectorLab,
  family: Family,
  choice: SteadyChoice = {},
): Promise<SteadyRun> {
  const { count = 100, udp = false, interval = 0.5, timeout = 5, host = 'lan' } = choice;
  const { to = serverAddress[family] } = choice;
  const from = (choice.from ?? lab.clients(family)).flatMap((address) => ['--from', address]);
  const words = `steady --to ${to} --count ${count} --interval ${interval} --timeout ${timeout}`;
  const argv = [...clientProgram, ...words.split(' '), ...(udp ? ['--udp'] : []), ...from];
  const [command, ...args] = inHost(lab.name, host, argv);
  const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const result = text(child.stdout);
  let answers = 0;
  child.stderr.on('data', (said) => {
    answers = Number(/(\d+) answers\s*$/.exec(String(said))?.[1] ?? answers);
  });
  await once(child.stderr, 'data');
  return {
    rounds: async (rounds) => {
      const until = answers + rounds * count;
      await waitUntil(`${until} answers`, () => answers >= until, 10_000);
    },
    end: async () => {
      child.kill();
      return JSON.parse(await result) as Steady;
    },
    kill: () => child.kill(),
  };
}
