// Runs the configuration's commands when a gateway comes to another health. A command that is slow, fails or
// hangs holds up nobody: of each one runs for a gateway, and the newest change waits for its end.

import type { HookConfig } from '../model/config.ts';
import type { HealthChange } from '../model/health.ts';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { usualPriority } from '../util/priority.ts';
import { runTimed, type TimedResult } from '../util/run-timed.ts';

interface Call {
  hook: HookConfig;
  change: HealthChange;
}

/** What one command has to do for one gateway and family. */
interface Lane {
  /** The newest change, while an earlier one is told. */
  waiting: Call | undefined;
  /** Settles when nothing waits any more. */
  over: Promise<void>;
}

/** So much of what it writes is logged. */
const mostSaid = 1000;

const clip = (text: string): string => {
  const said = text.trim();
  return said.length > mostSaid ? `${said.slice(0, mostSaid)}…` : said;
};

/** Fields that say nothing are left out. */
const spoken = (fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''));

/** A reason may hold what somebody answered to a probe. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is for
const oneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f]+/g, ' ');

/** docs/failover.md describes each. */
export const hookEnvironment = (change: HealthChange): Record<string, string> => ({
  LVSJ_GATEWAY: change.name,
  LVSJ_FAMILY: String(change.family),
  LVSJ_LINK: change.link,
  LVSJ_ID: String(change.id),
  LVSJ_FROM: change.from,
  LVSJ_TO: change.health,
  LVSJ_REASON: oneLine(change.reason),
  LVSJ_SINCE: change.since,
  LVSJ_INCIDENT: change.incident,
});

export class Hooks {
  readonly #log: Log;
  readonly #run: typeof runTimed;
  readonly #end = new AbortController();
  readonly #lanes = new Map<string, Lane>();

  constructor(log: Log, run = runTimed) {
    this.#log = log;
    this.#run = run;
  }

  /** hooks: those of the configuration; whom the change does not concern is not run. */
  told(change: HealthChange, hooks: readonly HookConfig[]): void {
    if (this.#end.signal.aborted) return;
    for (const hook of hooks)
      if (hook.on.length === 0 || hook.on.includes(change.health)) this.#add({ hook, change });
  }

  /** What runs is killed, what waits is forgotten. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all([...this.#lanes.values()].map(({ over }) => over));
  }

  #add(call: Call): void {
    const { hook, change } = call;
    const key = JSON.stringify([hook.command, change.name, change.family]);
    const lane = this.#lanes.get(key);
    if (!lane) {
      const made: Lane = { waiting: call, over: Promise.resolve() };
      this.#lanes.set(key, made);
      made.over = this.#work(key, made);
      return;
    }
    if (lane.waiting)
      this.#log.warn(
        fieldsOf(lane.waiting),
        'hook is skipped: it still runs for an earlier change',
      );
    lane.waiting = call;
  }

  async #work(key: string, lane: Lane): Promise<void> {
    while (lane.waiting && !this.#end.signal.aborted) {
      const call = lane.waiting;
      lane.waiting = undefined;
      await this.#tell(call);
    }
    this.#lanes.delete(key);
  }

  async #tell(call: Call): Promise<void> {
    const { hook, change } = call;
    const timeout = AbortSignal.timeout(hook.timeoutMs);
    const begun = performance.now();
    try {
      const signal = AbortSignal.any([this.#end.signal, timeout]);
      const result = await this.#run(hook.command, signal, {
        env: hookEnvironment(change),
        priority: usualPriority,
      });
      this.#report(call, result, Math.round(performance.now() - begun));
    } catch (error) {
      const reason = this.#reasonOf(error, hook, timeout);
      if (reason === undefined) throw error;
      this.#log.warn(fieldsOf(call), `hook ${reason}`);
    }
  }

  /** undefined: a bug. */
  #reasonOf(error: unknown, { timeoutMs }: HookConfig, timeout: AbortSignal): string | undefined {
    if (error instanceof UserError) return `failed: ${error.message}`;
    if (this.#end.signal.aborted) return 'was killed: the daemon ends';
    return timeout.aborted ? `was killed after ${timeoutMs} ms` : undefined;
  }

  #report(call: Call, { status, stdout, stderr }: TimedResult, tookMs: number): void {
    const said = spoken({ stdout: clip(stdout), stderr: clip(stderr) });
    const fields = { ...fieldsOf(call), tookMs, ...said };
    if (status === 0) this.#log.info(fields, 'hook was told');
    else
      this.#log.warn(
        fields,
        status === null ? 'hook failed: a signal ended it' : `hook failed: exit code ${status}`,
      );
  }
}

const fieldsOf = ({ hook, change }: Call) => ({
  hook: hook.command.join(' '),
  gateway: change.name,
  family: change.family,
  to: change.health,
  incident: change.incident,
});
