// lvsj plan, lvsj apply, lvsj confirm: a configuration for this network namespace, with or without a daemon.

import { Command, InvalidArgumentError } from 'commander';
import { defaultFile, loadConfig } from '../config/load.ts';
import { findMarkCollisions } from '../doctor/marks.ts';
import { confirm, deploy, foresee, rollBackIfDue } from '../kernel/deploy.ts';
import { detach } from '../kernel/detach.ts';
import { requireRoot } from '../kernel/director.ts';
import { readFacts } from '../kernel/facts.ts';
import type { Config } from '../model/config.ts';
import { formatProblem } from '../model/problem.ts';
import type { PlanState } from '../model/state.ts';
import { exit, UserError } from '../util/error.ts';
import { parse } from './parse.ts';
import { formatPlan } from './plan-text.ts';
import { printJson } from './print.ts';

const longestWait = 86_400;

/** The configuration, or all that is wrong with the file as one error. Warnings go to stderr. */
export function configOf(file: string): Config {
  const parsed = loadConfig(file);
  for (const warning of parsed.warnings) process.stderr.write(`${formatProblem(warning)}\n`);
  if ('config' in parsed) return parsed.config;
  throw new UserError(parsed.problems.map(formatProblem).join('\n'), exit.refused);
}

/** Others whose marks get in its way: it can be applied, and goes wrong once they meet. */
function warnOfMarks({ markMask, services }: Config): void {
  const named = services.map(({ name, fwmark }) => ({ name: `service ${name}`, fwmark }));
  for (const { what, fix } of findMarkCollisions(readFacts(), { markMask, services: named }))
    process.stderr.write(`warning: ${what}; ${fix}\n`);
}

function print(plan: PlanState, json: boolean | undefined): void {
  if (json) printJson(plan);
  else process.stdout.write(formatPlan(plan));
}

export async function runPlan(args: string[]): Promise<number> {
  const command = new Command('lvsj plan')
    .description('Say what lvsj apply would change, and change nothing.')
    .argument('[file]', 'the configuration', defaultFile)
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const [file] = command.processedArgs as [string];
  requireRoot();
  const config = configOf(file);
  warnOfMarks(config);
  print(foresee({ config, file }), command.opts<{ json?: boolean }>().json);
  return exit.ok;
}

function parseSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= longestWait) return seconds;
  throw new InvalidArgumentError(`a whole number of seconds from 1 to ${longestWait}`);
}

export async function runApply(args: string[]): Promise<number> {
  const command = new Command('lvsj apply')
    .description('Make the director of this network namespace what the configuration says.')
    .argument('[file]', 'the configuration', defaultFile)
    .option('--confirm <seconds>', 'take it back unless lvsj confirm comes in time', parseSeconds)
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const [file] = command.processedArgs as [string];
  const { confirm: seconds, json } = command.opts<{ confirm?: number; json?: boolean }>();
  requireRoot();
  const config = configOf(file);
  const { state } = deploy({ config, file, confirmSeconds: seconds ?? null, upgrade: true });
  // In a process of its own, which outlives the terminal that the change may have cut off.
  if (seconds !== undefined) detach(['roll-back']);
  print(state, json);
  if (seconds !== undefined && !json)
    process.stdout.write(`taken back in ${seconds} s unless lvsj confirm comes\n`);
  return exit.ok;
}

export async function runConfirm(args: string[]): Promise<number> {
  const command = new Command('lvsj confirm').description(
    'Keep what lvsj apply --confirm has applied.',
  );
  if (!(await parse(command, args))) return exit.ok;
  requireRoot();
  confirm();
  return exit.ok;
}

const lookMs = 200;

/** What lvsj apply --confirm leaves behind; no command for people. */
export async function runRollBack(): Promise<number> {
  while (rollBackIfDue() === 'waiting') await new Promise((resolve) => setTimeout(resolve, lookMs));
  return exit.ok;
}
