// lvsj upgrade: this lvsj's programs in the place of those of a director that another version started.

import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { Director, requireRoot } from '../kernel/director.ts';
import { withLock } from '../kernel/lock.ts';
import { FormError } from '../kernel/object.ts';
import { appliedOf, countEntries, replaceDirector } from '../kernel/replace.ts';
import { upgradeIfNeeded } from '../kernel/upgrade.ts';
import { exit, UserError } from '../util/error.ts';
import { configOf } from './apply.ts';
import { refuseDaemon } from './daemon.ts';
import { parse } from './parse.ts';

const longestWait = 86_400;
const lookMs = 200;

function parseWait(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= longestWait) return seconds;
  throw new InvalidArgumentError(`a whole number of seconds from 0 to ${longestWait}`);
}

export async function runUpgrade(args: string[]): Promise<number> {
  const command = new Command('lvsj upgrade')
    .description(
      "Put this lvsj's programs in the place of those of the running director. No connection notices.",
    )
    .option(
      '--drain <seconds>',
      'where that is impossible, for its ABI is another: wait so long at most for its connections ' +
        'to end, then replace it',
      parseWait,
    );
  if (!(await parse(command, args))) return exit.ok;
  const { drain } = command.opts<{ drain?: number }>();
  requireRoot();
  process.stdout.write(`${await upgrade(drain)}\n`);
  return exit.ok;
}

/** What was done, in words. */
async function upgrade(drain: number | undefined): Promise<string> {
  try {
    return withLock(upgradeRunning)
      ? "upgraded: the director runs this lvsj's programs now"
      : "nothing to do: the director runs this lvsj's programs";
  } catch (error) {
    if (!(error instanceof FormError) || drain === undefined) throw error;
    return replace(drain);
  }
}

function upgradeRunning(): boolean {
  using director = Director.find();
  if (!director) throw new UserError('lvsj upgrade: no director runs in this network namespace');
  return upgradeIfNeeded(director);
}

async function replace(seconds: number): Promise<string> {
  await refuseDaemon('lvsj upgrade --drain');
  using director = Director.findAny();
  if (!director) throw new UserError('lvsj upgrade: the director is gone meanwhile');
  const config = configOf(appliedOf(director).file);
  const end = performance.now() + seconds * 1000;
  while (countEntries(director) > 0 && performance.now() < end) await delay(lookMs);
  const left = replaceDirector(config);
  return `replaced: the director is this lvsj's now; entries that its table had left: ${left}`;
}
