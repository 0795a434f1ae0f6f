// lvsj metrics: what Prometheus reads, with and without a daemon.

import { Command } from 'commander';
import { askDaemon } from '../api/ask-daemon.ts';
import { formatMetrics, type MetricsSource } from '../api/metrics.ts';
import { readApplied } from '../kernel/applied.ts';
import type { Director } from '../kernel/director.ts';
import {
  readGatewayStates,
  readRuleStates,
  readServiceStates,
  readStatusState,
} from '../kernel/read-state.ts';
import { exit, UserError } from '../util/error.ts';
import { readVersion } from '../util/version.ts';
import { parse } from './parse.ts';
import { directorToRead } from './running.ts';

/** What a daemon would know of itself is missing: there is none. */
function sourceOf(director: Director): MetricsSource {
  const applied = readApplied(director);
  return {
    status: () => readStatusState(director, applied, null),
    gateways: () => readGatewayStates(director, applied),
    services: () => readServiceStates(director, applied),
    rules: () => readRuleStates(applied),
  };
}

/** The daemon first: it lets in who is not root but of the socket's group. */
async function readMetrics(): Promise<string> {
  const answer = await askDaemon<string>('GET', '/metrics');
  if (answer?.ok) return answer.value;
  if (answer) throw new UserError(`lvsj metrics: ${answer.error}`);
  using director = directorToRead();
  return await formatMetrics(sourceOf(director), readVersion());
}

export async function runMetrics(args: string[]): Promise<number> {
  const command = new Command('lvsj metrics').description(
    "Print the metrics of the director in Prometheus's text format: docs/metrics.md.",
  );
  if (!(await parse(command, args))) return exit.ok;
  process.stdout.write(await readMetrics());
  return exit.ok;
}
