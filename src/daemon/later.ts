// Many calls, one piece of work a moment later.

export interface LaterOptions {
  ms: number;
  /** Once it is aborted nothing is done any more. */
  signal: AbortSignal;
}

/** The first call starts the clock; those that come until it ends are the same one. */
export function later({ ms, signal }: LaterOptions, work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer));
  const run = (): void => {
    timer = undefined;
    work();
  };
  return () => {
    if (timer === undefined && !signal.aborted) timer = setTimeout(run, ms);
  };
}
