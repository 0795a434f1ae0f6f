// lvsj doctor: what is wrong in this network namespace, and what to do about it.

import { Command } from 'commander';
import { checks, examine } from '../doctor/checks.ts';
import type { Finding, Severity } from '../doctor/finding.ts';
import { requireRoot } from '../kernel/director.ts';
import { readFacts } from '../kernel/facts.ts';
import { parse } from './parse.ts';
import { printJson } from './print.ts';

/** 2 is how every command tells that it was called wrongly. */
const statusOf: Record<Severity, number> = { note: 0, warning: 1, error: 3 };

export const exitStatus = (findings: readonly Finding[]): number =>
  Math.max(0, ...findings.map(({ severity }) => statusOf[severity]));

const severities: Severity[] = ['error', 'warning', 'note'];

function formatCounts(findings: readonly Finding[]): string {
  const counts = severities.map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? '' : `${count} ${severity}${count === 1 ? '' : 's'}`;
  });
  const found = counts.filter((count) => count !== '').join(', ');
  return `${checks.length} checks: ${found === '' ? 'nothing found' : found}`;
}

/** For people. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ severity, check, what, fix }) => [
    `${severity.padEnd(8)} ${check}: ${what}`,
    `         -> ${fix}`,
    '',
  ]);
  return `${[...lines, formatCounts(findings)].join('\n')}\n`;
}

export async function runDoctor(args: string[]): Promise<number> {
  const command = new Command('lvsj doctor')
    .description(
      'Look for what makes the sharing out of traffic fail in this network namespace. ' +
        'Exit status: 0 nothing but notes, 1 warnings, 3 errors.',
    )
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return 0;
  requireRoot();
  const findings = examine(readFacts());
  if (command.opts<{ json?: boolean }>().json) printJson(findings);
  else process.stdout.write(formatFindings(findings));
  return exitStatus(findings);
}
