// The addresses of names in URLs: asked by the gateway's own link, as what follows is.

import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import type { BoundTo } from '../kernel/bound-socket.ts';
import { familyOf } from '../model/address.ts';
import type { ProbeTarget } from '../monitor/types.ts';
import { UserError } from '../util/error.ts';
import { isOfNetwork, WrongAnswer } from './answer.ts';
import type { Endpoint } from './connect.ts';
import { askServer, type Question } from './dns.ts';

/** The address of a host in a URL, of the target's family. */
export async function findAddress(
  host: string,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string> {
  if (isIP(host) !== 0) return host;
  const question: Question = { name: host, type: target.family === 4 ? 'A' : 'AAAA' };
  const servers = serversOf(target);
  const local = servers.filter(isLocal);
  if (local.length > 0) return askLocal(local, question);
  return askAll(servers, question, target, signal);
}

function serversOf({ resolvers }: ProbeTarget): Endpoint[] {
  // A new one reads /etc/resolv.conf, which may have changed.
  const texts = resolvers.length > 0 ? resolvers : new Resolver().getServers();
  return texts.map(parseServer);
}

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`; a link-local one's link is the target's. */
export function parseServer(text: string): Endpoint {
  const [, bracketed, plain = text, port = '53'] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return { address: (bracketed ?? plain).replace(/%.*$/, ''), port: Number(port) };
}

const isLocal = ({ address }: Endpoint): boolean => /^127\.|^::1$/.test(address);

/** What a server of this machine said last. Not more than there are names in probes. */
const lastKnown = new Map<string, string>();
const localMs = 2000;

/**
 * A server of this machine has ways out of its own, which may be down while this gateway is not: nobody
 * waits for it. What it said last is good enough, what it says now will do for the next time.
 */
function askLocal(servers: Endpoint[], question: Question): string {
  const key = `${question.type} ${question.name}`;
  askAll(servers, question, undefined, AbortSignal.timeout(localMs)).then(
    (address) => lastKnown.set(key, address),
    // The next probe asks again.
    () => {},
  );
  const known = lastKnown.get(key);
  if (known !== undefined) return known;
  throw new UserError(`this machine's DNS server has told no address of ${question.name} yet`);
}

/** All at once, so that each has all of the time; bound to nothing if `target` is not given. */
async function askAll(
  servers: Endpoint[],
  question: Question,
  target: ProbeTarget | undefined,
  signal: AbortSignal,
): Promise<string> {
  const asked = servers.map((server) => {
    // There is no address of the other family to ask from: the kernel finds one of the link's.
    const isOther = target && familyOf(server.address) !== target.family;
    const to: BoundTo | undefined = isOther ? { ...target, source: '' } : target;
    return askForAddress(server, question, to, signal);
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    throw mostTelling((error as AggregateError).errors);
  }
}

async function askForAddress(
  server: Endpoint,
  question: Question,
  to: BoundTo | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { answers = [], rcode } = await askServer(server, question, to, signal);
  const [found] = answers.flatMap((answer) =>
    answer.type === question.type && typeof answer.data === 'string' ? [answer.data] : [],
  );
  if (found !== undefined) return found;
  const reason = rcode === 'NOERROR' ? `no ${question.type} record` : rcode;
  throw new WrongAnswer(`no address of ${question.name}: ${server.address} says ${reason}`);
}

/** That somebody answered says more than that nobody did, and both more than that one could not be asked. */
function mostTelling(errors: unknown[]): unknown {
  const wrong = errors.find((error) => error instanceof WrongAnswer);
  return wrong ?? errors.find(isOfNetwork) ?? errors[0] ?? new UserError('no DNS server is known');
}
