// lvsj setting: the settings that IPVS has as sysctls.

import { Command } from 'commander';
import { requireRoot } from '../kernel/director.ts';
import { withLock } from '../kernel/lock.ts';
import { readSettings, type Setting, writeSetting } from '../kernel/settings.ts';
import { type SettingRule, settingRules } from '../model/setting.ts';
import { exit, UserError } from '../util/error.ts';
import { formatColumns } from './columns.ts';
import { parse } from './parse.ts';
import { printJson } from './print.ts';
import { directorToRead, directorToWrite } from './running.ts';

const columns = [
  { title: 'setting' },
  { title: 'value', right: true },
  { title: 'default', right: true },
  { title: 'meaning' },
];

export function formatSettings(settings: readonly Setting[]): string {
  const rows = settings.map((setting) => [
    setting.name,
    String(setting.value),
    String(setting.default),
    setting.meaning,
  ]);
  return `${formatColumns(columns, rows).join('\n')}\n`;
}

const names = settingRules.map(({ name }) => name).join(', ');

export function findRule(name: string): SettingRule {
  const rule = settingRules.find((each) => each.name === name);
  if (rule) return rule;
  throw new UserError(`lvsj setting: there is no setting "${name}", but ${names}`, exit.usage);
}

export function parseValue({ name, largest }: SettingRule, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value <= largest) return value;
  const wanted = largest === 1 ? '0 or 1' : `a whole number from 0 to ${largest}`;
  throw new UserError(`lvsj setting ${name} ${text}: the value is ${wanted}`, exit.usage);
}

function set(rule: SettingRule, text: string): void {
  const value = parseValue(rule, text);
  requireRoot();
  withLock(() => {
    using director = directorToWrite(`lvsj setting ${rule.name} ${text}`);
    writeSetting(director, rule, value);
  });
}

function list(rule: SettingRule | undefined, json: boolean | undefined): void {
  using director = directorToRead();
  const all = readSettings(director);
  const one = all.find(({ name }) => name === rule?.name);
  if (json) printJson(one ?? all);
  else process.stdout.write(formatSettings(one ? [one] : all));
}

export async function runSetting(args: string[]): Promise<number> {
  const command = new Command('lvsj setting')
    .description("List the director's settings, or change one; docs/settings.md says more.")
    .argument('[name]', `one of ${names}`)
    .argument('[value]', 'what it becomes')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const [name, value] = command.args;
  const rule = name === undefined ? undefined : findRule(name);
  if (rule && value !== undefined) set(rule, value);
  else list(rule, command.opts<{ json?: boolean }>().json);
  return exit.ok;
}
