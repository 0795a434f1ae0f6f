// The daemon of this network namespace, if one runs: asked over its socket.

import { get } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { daemonSocket } from '../kernel/daemon-socket.ts';
import type { DaemonState } from '../model/state.ts';

/** It answers in a few milliseconds; a reader must not hang where it does not. */
const patienceMs = 1000;

const answer = z.object({ pid: z.number(), error: z.string() });

function ask(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patienceMs);
    get({ socketPath, path, signal, agent: false }, (response) => resolve(json(response))).on(
      'error',
      reject,
    );
  });
}

/** null if nobody answers, or not as a daemon of ours does. */
export async function readDaemon(socketPath = daemonSocket()): Promise<DaemonState | null> {
  try {
    return answer.parse(await ask(socketPath, '/v1/daemon'));
  } catch {
    return null;
  }
}
