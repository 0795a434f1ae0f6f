// Metrics over TCP for a Prometheus on another machine: a server that knows one path, and only those who show the token.

import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { UserError } from '../util/error.ts';
import { metricsContentType } from './metrics.ts';
import { readToken } from './token.ts';

const path = '/metrics';
/** Nobody who has business here needs longer, or more. */
const requestTimeoutMs = 10_000;
const mostConnections = 32;

export interface MetricsListenOptions {
  /** `address:port`, `[address]:port`. */
  listen: string;
  tokenFile: string;
  /** formatMetrics of the store. */
  readMetrics: () => Promise<string>;
  /** Gets what readMetrics throws. */
  onError: (error: unknown) => void;
}

export interface MetricsListener {
  address: AddressInfo;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

/** The token is read once; whoever changes it lets the daemon listen anew. */
export async function listenMetrics(options: MetricsListenOptions): Promise<MetricsListener> {
  const { address, port } = parseListen(options.listen);
  const token = readToken(options.tokenFile);
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: requestTimeoutMs,
      maxHeaderSize: 8192,
    },
    async (request, response) => send(response, await answer(request, token, options)),
  );
  server.maxConnections = mostConnections;
  const listening = once(server, 'listening');
  server.listen(port, address);
  await listening.catch((error: Error) => {
    throw new UserError(`listen on ${options.listen} for metrics: ${error.message}`);
  });
  return {
    address: server.address() as AddressInfo,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // Nobody outside shall keep the daemon from ending.
      server.closeAllConnections();
      await closed;
    },
  };
}

function parseListen(text: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const family = bracketed === undefined ? 4 : 6;
  if (isIP(address) === family && Number(port) < 65536) return { address, port: Number(port) };
  throw new UserError(
    `listen on "${text}" for metrics: write address:port, as 192.0.2.1:9100 or [2001:db8::1]:9100`,
  );
}

/** The token first: who has none learns nothing, not even which paths there are. */
async function answer(
  { headers, method = '', url = '' }: IncomingMessage,
  token: string,
  { readMetrics, onError }: MetricsListenOptions,
): Promise<Answer> {
  if (!isSame(headers.authorization ?? '', `Bearer ${token}`))
    return { status: 401, text: 'show the token\n', headers: { 'www-authenticate': 'Bearer' } };
  if (url.split('?')[0] !== path) return { status: 404, text: `only ${path} is here\n` };
  if (method !== 'GET')
    return { status: 405, text: `only GET ${path} is here\n`, headers: { allow: 'GET' } };
  try {
    return {
      status: 200,
      text: await readMetrics(),
      headers: { 'content-type': metricsContentType },
    };
  } catch (error) {
    onError(error);
    return { status: 500, text: "the daemon's log says why\n" };
  }
}

function send(response: ServerResponse, { status, text, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(text);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes equally long for every wrong text: digests have one length, whatever the texts have. */
const isSame = (shown: string, expected: string): boolean =>
  timingSafeEqual(digest(shown), digest(expected));
