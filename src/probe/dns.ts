// Asks a DNS server, by one gateway's link. With a library that makes and reads messages, and not with
// Node's own client: that can neither bind its sockets to a link nor mark them.

import { randomInt } from 'node:crypto';
import { on } from 'node:events';
import { type DecodedPacket, decode, encode } from 'dns-packet';
import type { BoundTo } from '../kernel/bound-socket.ts';
import { type Answer, type Job, ok, WrongAnswer } from './answer.ts';
import { closeUdp, connectUdp, type Endpoint } from './connect.ts';

/** dns-packet gives it, its types do not know it. */
export type Response = DecodedPacket & { rcode: string };

export interface Question {
  name: string;
  type: 'A' | 'AAAA';
}

/** Whether there is an answer; that the name does not exist is one. */
export async function probeDns(
  { name, ...server }: Endpoint & { name: string },
  { target }: Job,
  signal: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const type = target.family === 4 ? 'A' : 'AAAA';
  const { rcode } = await askServer(server, { name, type }, target, signal);
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') throw new WrongAnswer(`${rcode} for ${name}`);
  return ok(performance.now() - began);
}

/** One question, once; bound to nothing if `to` is not given. */
export async function askServer(
  server: Endpoint,
  question: Question,
  to: BoundTo | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const id = randomInt(0x10000);
  const socket = await connectUdp(server, to, signal);
  try {
    const messages = on(socket, 'message', { signal });
    socket.send(encode({ type: 'query', id, flags: recursionDesired, questions: [question] }));
    for await (const [message] of messages) {
      const response = readResponse(message, id, question);
      if (response) return response;
    }
    throw new Error('the messages of a socket have no end');
  } finally {
    closeUdp(socket, signal);
  }
}

const recursionDesired = 0x100;

/** Undefined if it is no answer to this question. */
export function readResponse(
  message: Buffer,
  id: number,
  { name, type }: Question,
): Response | undefined {
  let packet: Response;
  try {
    packet = decode(message) as Response;
  } catch {
    // Anybody can send anything.
    return undefined;
  }
  const [asked] = packet.questions ?? [];
  const isOurs =
    packet.type === 'response' &&
    packet.id === id &&
    asked?.type === type &&
    asked.name.toLowerCase() === plainName(name);
  return isOurs ? packet : undefined;
}

/** As messages have it: without the dot at the end, but the root's own. */
const plainName = (name: string): string => name.toLowerCase().replace(/(.)\.$/, '$1');
