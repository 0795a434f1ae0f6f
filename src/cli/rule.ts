// lvsj rule: the rules of the configuration, and what each has decided.

import { Command } from 'commander';
import { readApplied } from '../kernel/applied.ts';
import { readRuleStates } from '../kernel/read-state.ts';
import { formatAmount } from '../model/amount.ts';
import type { RuleState } from '../model/state.ts';
import { exit } from '../util/error.ts';
import { formatColumns } from './columns.ts';
import { forTerminal, type Paint, plain } from './paint.ts';
import { parse } from './parse.ts';
import { printJson, printLines } from './print.ts';
import { directorToRead } from './running.ts';

const columns = [
  { title: 'rule' },
  { title: 'service' },
  { title: 'connections', right: true },
  { title: 'bytes', right: true },
  { title: 'where' },
];

/** A packet that a rule decides is a connection's first one. */
export function formatRules(rules: readonly RuleState[], paint: Paint = plain): string[] {
  if (rules.length === 0)
    return ['no rules: the configuration that is applied has none, or none is'];
  const rows = rules.map(({ name, service, packets, bytes, at }) => [
    name,
    service,
    formatAmount(packets),
    formatAmount(bytes),
    { text: at, style: 'dim' as const },
  ]);
  return formatColumns(columns, rows, paint);
}

export async function runRule(args: string[]): Promise<number> {
  const command = new Command('lvsj rule')
    .description('List the rules in the order in which they are asked, and what each has decided.')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  using director = directorToRead();
  const rules = readRuleStates(readApplied(director));
  if (command.opts<{ json?: boolean }>().json) printJson(rules);
  else printLines(formatRules(rules, forTerminal));
  return exit.ok;
}
