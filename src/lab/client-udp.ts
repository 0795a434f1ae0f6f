// Datagrams to the UDP echo, counted by the address that it saw.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Counts } from './client-connect.ts';

export interface UdpOptions {
  to: string;
  port: number;
  /** Local addresses; socket k has the k-th, in turn. */
  from: string[];
  /** Datagrams in all, spread evenly over the sockets. */
  count: number;
  sockets: number;
  /** Of the first socket; the others have the next ones. 0: whatever is free, also one that a connection before had. */
  firstPort: number;
  timeoutMs: number;
}

/** Each socket sends its next datagram when the last is answered or lost, so that no queue overflows. */
export async function exchangeDatagrams(options: UdpOptions): Promise<Counts> {
  const counts: Counts = {};
  const add = (key: string, n = 1) => {
    counts[key] = (counts[key] ?? 0) + n;
  };
  const { count, sockets } = options;
  const exchange = async (index: number) => {
    const share = Math.floor(count / sockets) + (index < count % sockets ? 1 : 0);
    const socket = await open(options, index);
    if (!socket) return add('failed', share);
    for (let sent = 0; sent < share; sent++) add(await ask(socket, options.timeoutMs));
    socket.close();
  };
  await Promise.all(Array.from({ length: sockets }, (_, index) => exchange(index)));
  return counts;
}

/** A connected socket, which also hears of ICMP errors; nothing if the address is not ours. */
async function open(options: UdpOptions, index: number): Promise<Socket | undefined> {
  const { to, port, firstPort } = options;
  const from = options.from[index % options.from.length]!;
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  // An ICMP error that comes between two questions must not end the program.
  socket.on('error', () => {});
  try {
    socket.bind(firstPort === 0 ? 0 : firstPort + index, from);
    await once(socket, 'listening');
    socket.connect(port, to);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    process.stderr.write(`failed: ${from}: ${(error as Error).message}\n`);
    socket.close();
    return undefined;
  }
}

async function ask(socket: Socket, timeoutMs: number): Promise<string> {
  try {
    // Listens before it sends: `once` also turns the socket's error (an ICMP answer) into a rejection.
    const reply = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    socket.send('lvsj', () => {});
    const [message] = (await reply) as [Buffer];
    return message.toString().split(' ')[0] ?? '';
  } catch {
    return 'failed';
  }
}
