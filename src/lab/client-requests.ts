// New connections at a steady rate, whatever becomes of those before: what people notice of an outage.

import { Resolver } from 'node:dns/promises';
import { request } from './client-connect.ts';
import { clockMs } from './clock.ts';
import { pace } from './pace.ts';

export interface RequestsOptions {
  /** Makes a connection of its own; the client's address as the server saw it, '' if it does not tell. */
  ask: (from: string) => Promise<string>;
  /** Local addresses, taken in turn. */
  from: string[];
  perSecond: number;
}

/** One connection; times of clockMs(). */
export interface Request {
  start: number;
  end: number;
  seen: string;
  /** Why there was no answer, or ''. */
  error: string;
}

/** Begins requests until the signal, and reports each when it is over. */
export async function makeRequests(
  { ask, from, perSecond }: RequestsOptions,
  report: (request: Request) => void,
  end: AbortSignal,
): Promise<void> {
  let next = 0;
  await pace(perSecond, end, () => {
    const start = clockMs();
    ask(from[next++ % from.length]!).then(
      (seen) => report({ start, end: clockMs(), seen, error: '' }),
      ({ message }: Error) => report({ start, end: clockMs(), seen: '', error: message }),
    );
  });
}

/** TCP connect, request, answer, end. */
export const askHttp = (url: string, timeoutMs: number) => (from: string) =>
  request(url, from, timeoutMs);

/** A question to a name server from a socket of its own. */
export const askDns = (server: string, timeoutMs: number) => async (from: string) => {
  // The resolver's own timeout is a second at the least, and it may double it.
  const resolver = new Resolver({ timeout: 2 * timeoutMs, tries: 1 });
  resolver.setServers([server]);
  resolver.setLocalAddress(from.includes(':') ? '0.0.0.0' : from, from.includes(':') ? from : '::');
  const timer = setTimeout(() => resolver.cancel(), timeoutMs);
  await resolver.resolve4('any.example').finally(() => clearTimeout(timer));
  return '';
};
