// lvsj run and lvsj reload: the daemon that keeps the kernel at what the configuration says.

import { resolve } from 'node:path';
import { Command } from 'commander';
import { askDaemon } from '../api/ask-daemon.ts';
import type { Planned } from '../api/store.ts';
import { defaultFile } from '../config/load.ts';
import { runDaemon } from '../daemon/run.ts';
import { requireRoot } from '../kernel/director.ts';
import { formatProblem } from '../model/problem.ts';
import { exit, UserError } from '../util/error.ts';
import { openLog } from '../util/log.ts';
import { readVersion } from '../util/version.ts';
import { parse } from './parse.ts';
import { formatPlan } from './plan-text.ts';
import { printJson } from './print.ts';

export async function runRun(args: string[]): Promise<number> {
  const command = new Command('lvsj run')
    .description('Apply the configuration and keep to it: the daemon. Its end changes nothing.')
    .option('--config <file>', 'the configuration', defaultFile)
    .option('--log-level <level>', 'the least that is logged: debug, info, warn, error', 'info');
  if (!(await parse(command, args))) return exit.ok;
  const { config, logLevel } = command.opts<{ config: string; logLevel: string }>();
  requireRoot();
  await runDaemon({ file: resolve(config), log: openLog(logLevel), version: readVersion() });
  return exit.ok;
}

export async function runReload(args: string[]): Promise<number> {
  const command = new Command('lvsj reload')
    .description('Have the daemon apply its file again, and say what that changed.')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const answer = await askDaemon<Extract<Planned, { plan: unknown }>>('POST', '/v1/reload');
  if (!answer)
    throw new UserError(
      'lvsj reload: no daemon runs in this network namespace; lvsj apply does without',
    );
  if (!answer.ok) {
    const problems = answer.problems?.map(formatProblem) ?? [];
    throw new UserError([answer.error, ...problems].join('\n'));
  }
  const { plan } = answer.value;
  if (command.opts<{ json?: boolean }>().json) printJson(plan);
  else process.stdout.write(formatPlan(plan));
  return exit.ok;
}
