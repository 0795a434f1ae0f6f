// The recordings of real IPVS in sequences/*.json: what was done, and whom it chose.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Flag, GatewaySettings, Protocol, Scheduler } from '../cases/case.ts';

const folder = join(import.meta.dirname, 'sequences');

export interface Recording {
  name: string;
  /** Arguments of ipvsadm, in order. */
  setup: string[];
  /** Per `open`: index of the destination, in the order added; -1 = none. */
  sequence: number[];
  ops: Op[];
  /** Rows of /proc/net/ip_vs_conn. */
  templates_at_end?: string[];
}

/** ActiveConn and InActConn of each destination that there is. */
export type After = Record<string, [active: number, inactive: number]>;

export type Op =
  | { op: 'ipvsadm'; args: string; after: After }
  | { op: 'close'; conn: number; state?: string; skipped?: true; after?: After }
  | Open;

export interface Open {
  op: 'open';
  conn: number;
  proto: Protocol;
  src: string;
  dst: string;
  /** null: the packet was dropped. */
  dest: string | null;
  state?: string;
  after: After;
}

export const recordings: Recording[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));

export interface Command {
  verb: '-A' | '-a' | '-e' | '-d';
  scheduler: Scheduler;
  flags: Flag[];
  /** Seconds; undefined = not persistent. */
  persistence: number | undefined;
  onePacket: boolean;
  gateway: string;
  settings: GatewaySettings;
}

/** As much of ipvsadm's grammar as the recordings use. */
export function parseCommand(line: string): Command {
  const words = line.split(' ');
  const after = (option: string): string => words[words.indexOf(option) + 1] ?? '';
  const value = (option: string): string => (words.includes(option) ? after(option) : '');
  return {
    verb: words[0] as Command['verb'],
    scheduler: value('-s') as Scheduler,
    flags: value('-b').split(',').filter(Boolean) as Flag[],
    persistence: words.includes('-p') ? Number(value('-p')) : undefined,
    onePacket: words.includes('-o'),
    gateway: value('-r'),
    settings: {
      weight: Number(value('-w')),
      upper: Number(value('-x')),
      lower: Number(value('-y')),
    },
  };
}
