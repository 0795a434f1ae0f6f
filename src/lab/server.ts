// The lab's internet host: HTTP that answers with the client address it sees, and echoes on port 7.
// A program of its own (`node src/lab/server.ts [PORT...]`): writes `ready` once everything listens.
//
//   GET /                 the client's address and a newline
//   GET /conn             {"address", "port"} of the client
//   GET /bytes?n=N&rate=R N bytes of the pattern, at R bytes a second (default: as fast as it goes)
//   GET /hold             "address port" of the client, then nothing: an idle connection, until
//   GET /say?text=T       writes T to every connection on hold, and answers how many those are
//   TCP 7                 each line back; UDP 7: `address port` of the sender
//   TCP 77                the client's address and the line, for each line

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { patternAt } from './pattern.ts';

const echoPort = 7;
const addressPort = 77;
/** Pieces a second of a download with a rate: fine enough that no reader sees a pause. */
const piecesPerSecond = 50;
/** The responses of /hold that are open. */
const held = new Set<ServerResponse>();

async function main(ports: number[]): Promise<void> {
  const servers = ports.map((port) => listen(createHttpServer(serveHttp), port));
  servers.push(listen(createServer(echoLines), echoPort));
  servers.push(listen(createServer(echoWithAddress), addressPort));
  await Promise.all([...servers, ...localAddresses().map(echoDatagrams)]);
  process.stdout.write('ready\n');
}

async function listen(server: Server, port: number): Promise<void> {
  // The default backlog of 511 would drop SYNs of a burst, and a SYN is repeated only after a second.
  server.listen({ host: '::', port, backlog: 4096 });
  await once(server, 'listening');
}

function serveHttp(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://lab');
  const address = plainAddress(request.socket.remoteAddress ?? '');
  // A download needs its own address too, and its body has no room for it.
  response.setHeader('x-client-address', address);
  response.setHeader('connection', 'close');
  if (url.pathname === '/') {
    response.end(`${address}\n`);
  } else if (url.pathname === '/conn') {
    response.end(`${JSON.stringify({ address, port: request.socket.remotePort })}\n`);
  } else if (url.pathname === '/bytes') {
    serveBytes(url.searchParams, response);
  } else if (url.pathname === '/hold') {
    response.write(`${address} ${request.socket.remotePort}\n`);
    held.add(response.on('close', () => held.delete(response)));
  } else if (url.pathname === '/say') {
    for (const waiting of held) waiting.write(`${url.searchParams.get('text')}\n`);
    response.end(`${held.size}\n`);
  } else {
    response.writeHead(404).end('the lab has /, /conn, /bytes?n=N&rate=R, /hold and /say?text=T\n');
  }
}

function serveBytes(query: URLSearchParams, response: ServerResponse): void {
  const n = Number(query.get('n') ?? Number.NaN);
  const rate = Number(query.get('rate') ?? Number.POSITIVE_INFINITY);
  if (!Number.isSafeInteger(n) || n < 0 || !(rate > 0)) {
    response.writeHead(400).end('n must be a number of bytes and rate bytes per second\n');
    return;
  }
  response.setHeader('content-length', n);
  // A client that goes away in the middle is its own affair.
  pipeline(Readable.from(paced(n, rate)), response).catch(() => {});
}

/** The pattern in pieces, each no earlier than the rate allows. */
async function* paced(n: number, rate: number): AsyncGenerator<Buffer> {
  const start = performance.now();
  const most = Math.ceil(rate / piecesPerSecond);
  for (let sent = 0; sent < n; ) {
    // A rate of Infinity is always due.
    const due = start + (sent / rate) * 1000;
    if (due > performance.now()) await delay(due - performance.now());
    const piece = patternAt(sent, Math.min(n - sent, most));
    sent += piece.length;
    yield piece;
  }
}

const echoLines = (socket: Socket): void => answerLines(socket, '');

const echoWithAddress = (socket: Socket): void =>
  answerLines(socket, `${plainAddress(socket.remoteAddress ?? '')} `);

function answerLines(socket: Socket, prefix: string): void {
  socket.on('error', () => socket.destroy());
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
    .on('line', (line) => socket.write(`${prefix}${line}\n`))
    .on('error', () => {})
    .on('close', () => socket.end());
}

/** One socket for each address: a reply from a socket on `::` would leave with the route's address. */
async function echoDatagrams(address: string): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_, sender) => {
    // The callback takes the error of a sender that cannot be reached, which is not ours to solve.
    socket.send(`${sender.address} ${sender.port}`, sender.port, sender.address, () => {});
  });
  socket.bind(echoPort, address);
  await once(socket, 'listening');
}

/** All but the link-local ones, which would need their link's name. */
function localAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'));
}

/** A dual-stack socket sees IPv4 as `::ffff:192.0.2.2`. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/, '');
}

const ports = process.argv.slice(2).map(Number);
await main(ports.length > 0 ? ports : [80]);
