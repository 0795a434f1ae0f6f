// lvsj status: what runs here, and how packets left each program.

import { Command } from 'commander';
import * as abi from '../kernel/abi.gen.ts';
import type { Director } from '../kernel/director.ts';
import { type GatewayName, readGatewayNames } from '../kernel/gateways.ts';
import { exit } from '../util/error.ts';
import { parse } from './parse.ts';
import { directorToRead, printJson } from './running.ts';

/** What `--json` prints; docs/status.md describes it. */
export interface Status {
  connections: { now: number; limit: number };
  markMask: string;
  gateways: GatewayName[];
  /** hook -> verdict -> packets, since the director started; verdicts that never came are left out. */
  verdicts: Record<string, Record<string, number>>;
}

const hookNames = ['director', 'ingress', 'egress'];

const verdictNames: Map<number, string> = new Map(
  Object.entries(abi.verdict)
    .filter(([, number]) => number < abi.verdict.VERDICTS)
    .map(([name, number]) => [number, name.replace('VERDICT_', '').toLowerCase()]),
);

export function readStatus(director: Director): Status {
  const { settings, maps } = director;
  const verdicts: Status['verdicts'] = {};
  for (const [hook, counts] of maps.verdicts().entries()) {
    const seen = [...counts.entries()].filter(([, count]) => count > 0n);
    verdicts[hookNames[hook] ?? String(hook)] = Object.fromEntries(
      seen.map(([number, count]) => [verdictNames.get(number) ?? String(number), Number(count)]),
    );
  }
  return {
    connections: { now: maps.tableCounts.get(0)?.entries ?? 0, limit: settings.connectionLimit },
    markMask: `0x${settings.markMask.toString(16)}`,
    gateways: readGatewayNames(director),
    verdicts,
  };
}

export function formatStatus(status: Status): string {
  const { connections, markMask, gateways, verdicts } = status;
  const lines = [
    `connections  ${connections.now} of ${connections.limit}`,
    `mark mask    ${markMask}`,
    '',
    'gateway  address                                  link',
    ...gateways.map(
      ({ id, address, link, present }) =>
        `${String(id).padStart(7)}  ${address.padEnd(40)} ${link}${present ? '' : ' (deleted)'}`,
    ),
  ];
  for (const [hook, counts] of Object.entries(verdicts)) {
    lines.push('', hook);
    for (const [verdict, count] of Object.entries(counts))
      lines.push(`  ${verdict.padEnd(14)} ${String(count).padStart(12)}`);
  }
  return `${lines.join('\n')}\n`;
}

export async function runStatus(args: string[]): Promise<number> {
  const command = new Command('lvsj status')
    .description('Show the director of this network namespace.')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const status = readStatus(directorToRead());
  if (command.opts<{ json?: boolean }>().json) printJson(status);
  else process.stdout.write(formatStatus(status));
  return exit.ok;
}
