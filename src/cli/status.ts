// lvsj status: what runs here, and how packets left each program.

import { Command } from 'commander';
import { readApplied } from '../kernel/applied.ts';
import { readStatusState } from '../kernel/read-state.ts';
import type { StatusState } from '../model/state.ts';
import { exit } from '../util/error.ts';
import { formatColumns } from './columns.ts';
import { readDaemon } from './daemon.ts';
import { formatAddress, formatId, standingCell } from './gateway-text.ts';
import { forTerminal, type Paint, plain } from './paint.ts';
import { parse } from './parse.ts';
import { printJson, printLines } from './print.ts';
import { directorToRead } from './running.ts';

/** The machine's own time, to the second: `2026-11-25 03:40:12`. */
const formatTime = (iso: string): string => new Date(iso).toLocaleString('sv');

function formatConfig(config: StatusState['config'], paint: Paint): string[] {
  if (!config) return ['configuration  none; only lvsj ipvsadm was used'];
  const { file, generation, appliedAt, confirmBy } = config;
  const lines = [
    `configuration  ${file}, generation ${generation}, since ${formatTime(appliedAt)}`,
  ];
  if (confirmBy !== null) {
    const until = `the one before it comes back at ${formatTime(confirmBy)} unless you run lvsj confirm`;
    lines.push(`               ${paint('yellow', until)}`);
  }
  return lines;
}

function formatDaemon(daemon: StatusState['daemon'], paint: Paint): string[] {
  if (!daemon) return ['daemon         none answers'];
  const lines = [`daemon         process ${daemon.pid}`];
  if (daemon.error !== '')
    lines.push(`               ${paint('red', `the newest file is refused: ${daemon.error}`)}`);
  return lines;
}

/** More are in --json. */
const shownRules = 3;

function formatFastpath({ fastpath, daemon }: StatusState, paint: Paint): string[] {
  const line = (words: string): string => `fast path      ${words}`;
  if (fastpath === 'off') return [];
  if (fastpath === 'on') return [line('on')];
  if (fastpath === 'unwatched')
    return [line(paint('yellow', 'not taken: no lvsj run watches over it'))];
  const rules = daemon?.needyRules ?? [];
  const careful = 'on, but not for services that do not insist';
  if (rules.length === 0) return [line(`${careful}, until the rules of others are read`)];
  const lines = rules
    .slice(0, shownRules)
    .map(({ rule, why }) => `               ${paint('yellow', `${rule} (${why})`)}`);
  const more = rules.length - lines.length;
  return [
    line(`${careful}, for others must see each packet:`),
    ...lines,
    ...(more > 0 ? [`               and ${more} more`] : []),
  ];
}

const gatewayColumns = [
  { title: 'gateway', right: true },
  { title: 'name', optional: true },
  { title: 'address' },
  { title: 'link' },
  { title: 'state' },
];

const verdictColumns = (hook: string) => [{ title: hook }, { title: 'packets', right: true }];

export function formatStatus(status: StatusState, paint: Paint = plain): string[] {
  const { connections, markMask, gateways } = status;
  const rows = gateways.map((gateway) => [
    formatId(gateway.id),
    gateway.name,
    formatAddress(gateway.address),
    gateway.link,
    standingCell(gateway),
  ]);
  const verdicts = Object.entries(status.verdicts).flatMap(([hook, counts]) => {
    const seen = Object.entries(counts).map(([verdict, count]) => [`  ${verdict}`, String(count)]);
    return ['', ...formatColumns(verdictColumns(hook), seen, paint)];
  });
  return [
    `connections    ${connections.now} of ${connections.limit}`,
    `mark mask      ${markMask}`,
    ...formatConfig(status.config, paint),
    ...formatDaemon(status.daemon, paint),
    ...formatFastpath(status, paint),
    '',
    ...formatColumns(gatewayColumns, rows, paint),
    ...verdicts,
  ];
}

export async function runStatus(args: string[]): Promise<number> {
  const command = new Command('lvsj status')
    .description('Show the director of this network namespace.')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  using director = directorToRead();
  const status = readStatusState(director, readApplied(director), await readDaemon());
  if (command.opts<{ json?: boolean }>().json) printJson(status);
  else printLines(formatStatus(status, forTerminal));
  return exit.ok;
}
