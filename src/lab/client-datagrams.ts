// Datagrams of one socket at a steady rate, as a call sends them: when answers came, and under which address.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { clockMs } from './clock.ts';
import { pace } from './pace.ts';

export interface DatagramsOptions {
  /** A UDP echo that answers with the sender's address. */
  to: string;
  port: number;
  from: string;
  perSecond: number;
}

export interface Answer {
  /** Of clockMs(). */
  at: number;
  seen: string;
}

/** Until the signal. */
export async function sendDatagrams(
  { to, port, from, perSecond }: DatagramsOptions,
  report: (answer: Answer) => void,
  end: AbortSignal,
): Promise<void> {
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  // An ICMP error may come at any time, and ends nothing.
  socket.on('error', () => {});
  socket.on('message', (message) =>
    report({ at: clockMs(), seen: message.toString().split(' ')[0]! }),
  );
  socket.bind(0, from);
  await once(socket, 'listening');
  socket.connect(port, to);
  await once(socket, 'connect');
  await pace(perSecond, end, () => socket.send('again', () => {}));
  socket.close();
}
