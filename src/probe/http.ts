// Asks for a page and looks at its status and its text: a captive portal answers, too, but not so.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ProbeConfig } from '../model/config.ts';
import { type Answer, isOfNetwork, type Job, ok, WrongAnswer } from './answer.ts';
import { connectTcp } from './connect.ts';
import { findAddress } from './names.ts';

type HttpProbe = Omit<Extract<ProbeConfig, { kind: 'http' }>, 'kind'>;

/** What a page says beyond that is not read. */
const mostBytes = 64 * 1024;

export async function probeHttp(
  probe: HttpProbe,
  { target }: Job,
  signal: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const url = new URL(probe.url);
  const isSecure = url.protocol === 'https:';
  // Without the brackets of IPv6.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const address = await findAddress(host, target, signal);
  const port = Number(url.port || (isSecure ? 443 : 80));
  const socket = await connectTcp({ address, port }, target, signal);
  try {
    const stream = isSecure ? await secure(socket, host, signal) : socket;
    await check(await ask(url, stream, signal), probe);
    return ok(performance.now() - began);
  } finally {
    // A reset: see tcp.ts.
    socket.resetAndDestroy();
  }
}

async function secure(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  const tls = connectTls({ socket, host, servername: isIP(host) === 0 ? host : '' });
  tls.on('error', () => {});
  try {
    await once(tls, 'secureConnect', { signal });
  } catch (error) {
    if (signal.aborted || isOfNetwork(error)) throw error;
    // OpenSSL's messages begin with numbers, its reasons are words; Node.js ends some with advice to callers.
    const { reason, message } = error as Error & { reason?: string };
    throw new WrongAnswer(`TLS: ${(reason ?? message).replace(/; if the root.*/, '')}`);
  }
  return tls;
}

async function ask(url: URL, stream: Socket, signal: AbortSignal): Promise<IncomingMessage> {
  const asked = request({
    createConnection: () => stream,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'user-agent': 'lvsj', accept: '*/*' },
  });
  asked.on('error', () => {});
  asked.end();
  const [response] = (await once(asked, 'response', { signal })) as [IncomingMessage];
  return response;
}

async function check(response: IncomingMessage, { status, body }: HttpProbe): Promise<void> {
  const got = response.statusCode ?? 0;
  if (!status.includes(got))
    throw new WrongAnswer(`status ${got} instead of ${status.join(' or ')}`);
  if (body === '') return;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (Buffer.concat(pieces).includes(body)) return;
    if (bytes >= mostBytes) break;
  }
  throw new WrongAnswer(`no "${body}" in the page`);
}
