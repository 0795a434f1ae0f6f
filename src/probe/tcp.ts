// Asks whether a host takes a TCP connection.

import { type Answer, type Job, ok } from './answer.ts';
import { connectTcp, type Endpoint } from './connect.ts';

export async function probeTcp(
  endpoint: Endpoint,
  { target }: Job,
  signal: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const socket = await connectTcp(endpoint, target, signal);
  const rttMs = performance.now() - began;
  // A reset: a connection that is closed would keep its port for a minute, at each probe another.
  socket.resetAndDestroy();
  return ok(rttMs);
}
