// Runs other programs beside everything else and for a limited time, without a shell: probes, hooks.

import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { UserError } from './error.ts';
import { programPath, startProblem } from './run.ts';

/** What came of a program. */
export interface TimedResult {
  /** Null: a signal ended it. */
  status: number | null;
  /** Each no longer than mostBytes. */
  stdout: string;
  stderr: string;
}

export interface TimedOptions {
  /** All variables that it has, beside PATH. */
  env?: Record<string, string>;
  /** Ours if none is given. */
  priority?: number;
  /** Told what it has written so far, each time that there is more. */
  onStdout?: (stdout: string) => void;
}

/** What one says beyond that is read and forgotten. */
const mostBytes = 64 * 1024;

/**
 * Runs `argv` until it ends. With the signal it and all that it started are killed, and the promise is rejected at once
 * with the signal's reason. Rejected with a UserError if it could not be started.
 */
export async function runTimed(
  argv: string[],
  signal: AbortSignal,
  { env = {}, priority, onStdout }: TimedOptions = {},
): Promise<TimedResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('runTimed: no program given');
  signal.throwIfAborted();
  const child = spawn(program, args, {
    // A process group of its own, so that what it starts can be killed with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { LANG: 'C.UTF-8', ...env, PATH: programPath() },
  });
  if (priority !== undefined && child.pid !== undefined) setPriority(child.pid, priority);
  const { promise, resolve, reject } = Promise.withResolvers<TimedResult>();
  const texts = [collect(child.stdout), collect(child.stderr)] as const;
  if (onStdout) child.stdout?.on('data', () => onStdout(texts[0]()));
  const stop = (): void => {
    killGroup(child);
    // A process that left the group may hold them open.
    child.stdout?.destroy();
    child.stderr?.destroy();
    reject(signal.reason);
  };
  signal.addEventListener('abort', stop, { once: true });
  child.on('error', (error) => reject(new UserError(startProblem(program, error))));
  // Nothing of a probe outlives it, and the pipes are closed by all who have them.
  child.on('exit', () => killGroup(child));
  child.on('close', (status) => resolve({ status, stdout: texts[0](), stderr: texts[1]() }));
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

/** Reads all of it, keeps the beginning. There is nothing to read where no more files could be opened. */
function collect(stream: Readable | undefined): () => string {
  const pieces: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (piece: Buffer) => {
    if (bytes < mostBytes) pieces.push(piece.subarray(0, mostBytes - bytes));
    bytes += piece.length;
  });
  return () => Buffer.concat(pieces).toString();
}

function killGroup(child: ChildProcess): void {
  // Never started.
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // Nobody is left in it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
