// Asks FRR's bfdd for its session with the next hop. The session itself is the admin's: bfdd keeps it.

import * as z from 'zod';
import { UserError } from '../util/error.ts';
import { runTimed } from '../util/run-timed.ts';
import { type Answer, type Job, ok, silent, toDetail, voided } from './answer.ts';

const peers = z.array(
  z.object({
    peer: z.string(),
    interface: z.string().optional(),
    status: z.string(),
    diagnostic: z.string().optional(),
  }),
);

export async function probeBfd({ target }: Job, signal: AbortSignal): Promise<Answer> {
  const { nextHop, link } = target;
  if (nextHop === '') return voided(`${link} has no next hop`);
  const { status, stdout, stderr } = await runTimed(
    ['vtysh', '-d', 'bfdd', '-c', 'show bfd peers json'],
    signal,
  );
  if (status !== 0)
    throw new UserError(`FRR's bfdd cannot be asked: ${toDetail(stderr || stdout)}`);
  return judgeSession(stdout, nextHop, link);
}

function parsePeers(json: string): z.infer<typeof peers> {
  try {
    return peers.parse(JSON.parse(json));
  } catch {
    throw new UserError(
      `FRR's bfdd lists its peers in another way than is known: ${toDetail(json)}`,
    );
  }
}

/** What bfdd's list of peers says of a next hop. */
export function judgeSession(json: string, nextHop: string, link: string): Answer {
  const session = parsePeers(json).find(
    (peer) => peer.peer === nextHop && (peer.interface === undefined || peer.interface === link),
  );
  if (!session) return voided(`bfdd has no peer ${nextHop} on ${link}`);
  const { status, diagnostic = '' } = session;
  if (status === 'up') return ok(null);
  if (status === 'shutdown') return voided(`the BFD session of ${nextHop} is shut down`);
  return silent(`BFD session ${status}${diagnostic === 'ok' ? '' : `: ${diagnostic}`}`);
}
