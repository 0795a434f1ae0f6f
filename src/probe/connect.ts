// Connections and datagrams that leave by one gateway's link, from its address.

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { type BoundTo, openBoundSocket } from '../kernel/bound-socket.ts';
import { familyOf } from '../model/address.ts';

export interface Endpoint {
  address: string;
  port: number;
}

/** Comes back when it is established; the signal destroys it then, too. */
export async function connectTcp(
  { address, port }: Endpoint,
  to: BoundTo,
  signal: AbortSignal,
): Promise<Socket> {
  const fd = openBoundSocket('tcp', familyOf(address), to);
  // manualStart: it must not read before there is a connection.
  const socket = new Socket({ fd, signal, manualStart: true } as { fd: number });
  // Whoever waits for something of it is told by that; nobody must hear it twice.
  socket.on('error', () => {});
  socket.connect({ host: address, port });
  await once(socket, 'connect');
  return socket;
}

/** A UDP socket that talks to one other, bound to nothing if not said; errors of the network are events of it. */
export async function connectUdp(
  { address, port }: Endpoint,
  to: BoundTo | undefined,
  signal: AbortSignal,
): Promise<Datagrams> {
  const family = familyOf(address);
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', signal });
  try {
    if (to) socket.bind({ fd: openBoundSocket('udp', family, to) });
    socket.connect(port, address);
    await once(socket, 'connect', { signal });
  } catch (error) {
    closeUdp(socket, signal);
    throw error;
  }
  return socket;
}

/** Closes it if its signal has not done so. */
export function closeUdp(socket: Datagrams, signal: AbortSignal): void {
  if (!signal.aborted) socket.close();
}
