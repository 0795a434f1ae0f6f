// A probe's time limit.

import { type Answer, fromError, voided } from './answer.ts';

export interface Limit {
  ms: number;
  /** What it comes to when the time is over. */
  late: Answer;
  /** Ends it before. */
  signal: AbortSignal;
}

/** Runs a probe for so long at the most; the signal that it gets ends with the time, or with the limit's. */
export async function within(
  { ms, late, signal }: Limit,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  // Not AbortSignal.any(), with which a signal that lives as long as the daemon remembers all of its probes.
  const inner = new AbortController();
  const stop = (): void => inner.abort(signal.reason);
  // Where this process was kept from looking for that long, timers come before answers that have been there
  // all the time: setImmediate lets those in first.
  const timer = setTimeout(() => setImmediate(() => inner.abort()), ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await work(inner.signal);
  } catch (error) {
    if (signal.aborted) return voided('stopped');
    return inner.signal.aborted ? late : fromError(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
