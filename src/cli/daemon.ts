// The daemon of this network namespace, if one runs: what it says of itself.

import { z } from 'zod';
import { askDaemon } from '../api/ask-daemon.ts';
import type { DaemonState } from '../model/state.ts';
import { UserError } from '../util/error.ts';
import { socketPath } from '../util/socket-path.ts';

/** It answers in a few milliseconds; a reader must not hang where it does not. */
const patienceMs = 1000;

const rule = z.object({ table: z.string(), chain: z.string(), rule: z.string(), why: z.string() });
const state = z.object({
  pid: z.number(),
  error: z.string(),
  // One that runs since before an upgrade tells none.
  needyRules: z.array(rule).default([]),
});

/** null if nobody answers, or not as a daemon of ours does. */
export async function readDaemon(socket = socketPath()): Promise<DaemonState | null> {
  try {
    const answer = await askDaemon('GET', '/v1/daemon', { socket, timeoutMs: patienceMs });
    const { data } = state.safeParse(answer?.ok ? answer.value : undefined);
    return data ?? null;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** tried: what a daemon would undo. */
export async function refuseDaemon(tried: string): Promise<void> {
  const daemon = await readDaemon();
  if (daemon)
    throw new UserError(
      `${tried}: the daemon (process ${daemon.pid}) would start the director again; end it first ` +
        '(systemctl stop lvsj)',
    );
}
