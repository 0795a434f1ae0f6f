// The daemon of this network namespace, if one runs: asked over its socket.

import { z } from 'zod';
import { askDaemon } from '../api/ask-daemon.ts';
import type { DaemonState } from '../model/state.ts';
import { socketPath } from '../util/socket-path.ts';

/** It answers in a few milliseconds; a reader must not hang where it does not. */
const patienceMs = 1000;

const answer = z.object({ pid: z.number(), error: z.string() });

/** null if nobody answers, or not as a daemon of ours does. */
export async function readDaemon(socket = socketPath()): Promise<DaemonState | null> {
  try {
    const asked = await askDaemon('GET', '/v1/daemon', { socket, timeoutMs: patienceMs });
    return asked?.ok ? answer.parse(asked.value) : null;
  } catch {
    return null;
  }
}
