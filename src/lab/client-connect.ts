// Many separate TCP connections, each one HTTP request, counted by what the server saw.

import { get } from 'node:http';
import { text } from 'node:stream/consumers';

/** How many connections were seen from which address; `failed` counts those that saw no answer. */
export type Counts = Record<string, number>;

export interface ConnectOptions {
  url: string;
  /** Local addresses, taken in turn. */
  from: string[];
  count: number;
  parallel: number;
  timeoutMs: number;
}

/** Makes the connections, never more than `parallel` at once; counts them for each client. */
export async function connect(options: ConnectOptions): Promise<Record<string, Counts>> {
  const seen: Record<string, Counts> = Object.fromEntries(options.from.map((from) => [from, {}]));
  const reasons = new Set<string>();
  let next = 0;
  const worker = async () => {
    while (next < options.count) {
      const from = options.from[next++ % options.from.length]!;
      const answer = await request(options.url, from, options.timeoutMs).catch((error: Error) => {
        reasons.add(`${from}: ${error.message}`);
        return 'failed';
      });
      const counts = seen[from]!;
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  for (const reason of reasons) process.stderr.write(`failed: ${reason}\n`);
  return seen;
}

/** One connection of its own (no agent keeps it), from the given address; the answer's text. */
export async function request(
  url: string,
  localAddress: string,
  timeoutMs: number,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(url, { localAddress, agent: false, signal }, (response) => {
    if (response.statusCode === 200) text(response).then(resolve, reject);
    else reject(new Error(`status ${response.statusCode}`));
  }).on('error', (error) => reject(signal.aborted ? new Error('timeout') : error));
  return (await promise).trim();
}
