// lvsj check: what is wrong with a configuration file. It needs no root and touches nothing.

import { Command } from 'commander';
import { defaultFile, loadConfig } from '../config/load.ts';
import type { Parsed } from '../config/parse.ts';
import { byPlace } from '../config/report.ts';
import { formatProblem, type Problem } from '../model/problem.ts';
import { exit } from '../util/error.ts';
import { parse } from './parse.ts';
import { printJson } from './print.ts';

/** The file is refused. */
const refused = 1;

/** What `--json` prints; docs/config.md describes it. */
export interface CheckResult {
  file: string;
  accepted: boolean;
  /** In the order of the file, warnings among them. */
  problems: Problem[];
}

export function toResult(file: string, parsed: Parsed): CheckResult {
  const accepted = 'config' in parsed;
  const problems = [...('problems' in parsed ? parsed.problems : []), ...parsed.warnings];
  return { file, accepted, problems: problems.sort(byPlace(file)) };
}

const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A line for each problem, and one that sums up. */
export function formatCheck(file: string, parsed: Parsed): string {
  const lines = toResult(file, parsed).problems.map(formatProblem);
  const warnings = parsed.warnings.length > 0 ? [count(parsed.warnings.length, 'warning')] : [];
  if ('config' in parsed) {
    const { gateways, services, rules } = parsed.config;
    const holds = [
      count(gateways.length, 'gateway'),
      count(services.length, 'service'),
      count(rules.length, 'rule'),
    ];
    lines.push(`${file}: accepted: ${[...holds, ...warnings].join(', ')}`);
  } else {
    const errors = count(parsed.problems.length, 'error');
    lines.push(`${file}: refused: ${[errors, ...warnings].join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}

export async function runCheck(args: string[]): Promise<number> {
  const command = new Command('lvsj check')
    .description(
      'Check a configuration file; exit status 0: it would be accepted, 1: it would not.',
    )
    .argument('[file]', 'the file', defaultFile)
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const file = command.args[0] ?? defaultFile;
  const parsed = loadConfig(file);
  if (command.opts<{ json?: boolean }>().json) printJson(toResult(file, parsed));
  else process.stdout.write(formatCheck(file, parsed));
  return 'config' in parsed ? exit.ok : refused;
}
