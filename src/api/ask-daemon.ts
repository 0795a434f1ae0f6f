// Asks the daemon of this network namespace over its unix socket: the command line's side of the API.

import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { UserError } from '../util/error.ts';
import { socketPath } from '../util/socket-path.ts';
import type { ApiError } from './schemas.ts';

/** Applying thousands of rules takes a while. */
const defaultTimeoutMs = 30_000;

export type Answer<T> = { ok: true; value: T } | ({ ok: false; status: number } & ApiError);

export interface AskOptions {
  /** Sent as JSON. */
  body?: unknown;
  socket?: string;
  timeoutMs?: number;
}

/** undefined if no daemon listens there. A body that is not JSON comes as text. */
export async function askDaemon<T>(
  method: string,
  path: string,
  options: AskOptions = {},
): Promise<Answer<T> | undefined> {
  const { socket = socketPath(), timeoutMs = defaultTimeoutMs } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await send(method, path, { ...options, socket, signal });
    return await readAnswer<T>(response);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    const timeout = signal.aborted ? timeoutMs : undefined;
    throw new UserError(`${method} ${path}: ${problemOf({ code, message, socket, timeout })}`);
  }
}

interface Sent extends AskOptions {
  socket: string;
  signal: AbortSignal;
}

function send(method: string, path: string, sent: Sent): Promise<IncomingMessage> {
  const { socket, signal, body } = sent;
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, method, path, headers, signal, agent: false });
    asked.on('response', resolve).on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function readAnswer<T>(response: IncomingMessage): Promise<Answer<T>> {
  const body = await text(response);
  const isJson = response.headers['content-type']?.startsWith('application/json');
  const value: unknown = isJson ? JSON.parse(body) : body;
  const status = response.statusCode ?? 0;
  return status < 300
    ? { ok: true, value: value as T }
    : { ok: false, status, ...(value as ApiError) };
}

interface Failure {
  code: string | undefined;
  message: string;
  socket: string;
  /** Milliseconds, if they are over. */
  timeout: number | undefined;
}

function problemOf({ code, message, socket, timeout }: Failure): string {
  if (code === 'EACCES')
    return `${socket} is for root, and for the group of api.group in lvsj.yaml; use sudo`;
  const daemon = `the daemon at ${socket}`;
  return timeout === undefined
    ? `${daemon} ended before it had answered (${message}); its log may say why`
    : `${daemon} did not answer within ${timeout / 1000} s; its log may say why`;
}
