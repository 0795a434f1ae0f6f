// lvsj status: what runs here, and how packets left each program.

import { Command } from 'commander';
import * as abi from '../kernel/abi.gen.ts';
import { Director, requireRoot } from '../kernel/director.ts';
import { gatewayAddress } from '../kernel/read-table.ts';
import { exit, UserError } from '../util/error.ts';
import { parse } from './parse.ts';

/** What `--json` prints; docs/status.md describes it. */
export interface Status {
  connections: { now: number; limit: number };
  markMask: string;
  gateways: { id: number; address: string; link: string; present: boolean }[];
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
    gateways: [...maps.gateways.all()]
      .filter(([, gateway]) => gateway.link !== '')
      .map(([id, gateway]) => ({
        id,
        address: gatewayAddress(gateway),
        link: gateway.link,
        present: (gateway.flags & abi.gatewayFlag.GATEWAY_PRESENT) !== 0,
      })),
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
  requireRoot();
  const director = Director.find();
  if (!director) throw new UserError('not running: lvsj ipvsadm -A … starts a director', exit.list);
  const status = readStatus(director);
  process.stdout.write(
    command.opts<{ json?: boolean }>().json
      ? `${JSON.stringify(status, null, 2)}\n`
      : formatStatus(status),
  );
  return exit.ok;
}
