// Asks a command of the user's: exit status 0 is yes.

import { usualPriority } from '../util/priority.ts';
import { runTimed } from '../util/run-timed.ts';
import { type Answer, type Job, ok, WrongAnswer } from './answer.ts';

export async function probeCommand(
  { command }: { command: string[] },
  { target }: Job,
  signal: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const { status, stderr } = await runTimed(command, signal, {
    env: {
      LVSJ_GATEWAY: target.gateway,
      LVSJ_FAMILY: String(target.family),
      LVSJ_LINK: target.link,
      LVSJ_NEXT_HOP: target.nextHop,
      LVSJ_SOURCE: target.source,
      LVSJ_MARK: String(target.mark),
    },
    priority: usualPriority,
  });
  if (status === 0) return ok(performance.now() - began);
  const ended = status === null ? 'killed by a signal' : `exit status ${status}`;
  throw new WrongAnswer(stderr.trim() || ended);
}
