// lvsj start and lvsj stop.

import { Command, InvalidArgumentError } from 'commander';
import { Director, defaults, requireRoot, stopDirector } from '../kernel/director.ts';
import { withLock } from '../kernel/lock.ts';
import { connections } from '../model/bounds.ts';
import { exit, UserError } from '../util/error.ts';
import { refuseDaemon } from './daemon.ts';
import { parse } from './parse.ts';

function parseConnections(text: string): number {
  const number = Number(text);
  const { smallest, largest } = connections;
  if (!Number.isInteger(number) || number < smallest || number > largest)
    throw new InvalidArgumentError(`a whole number from ${smallest} to ${largest}`);
  return number;
}

function parseMask(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0 || number > 0xffffffff)
    throw new InvalidArgumentError('eight bits in a row, e.g. 0xff000000');
  return number;
}

export async function runStart(args: string[]): Promise<number> {
  const command = new Command('lvsj start')
    .description('Start the director of this network namespace (lvsj ipvsadm -A does it too).')
    .option(
      '--connections <number>',
      'most connections that the table holds',
      parseConnections,
      defaults.connections,
    )
    .option(
      '--mark-mask <mask>',
      'which eight bits of the mark hold the gateway (default: 0xff000000)',
      parseMask,
    );
  if (!(await parse(command, args))) return exit.ok;
  const { connections, markMask } = command.opts<{ connections: number; markMask?: number }>();
  requireRoot();
  withLock(() => {
    if (Director.find())
      throw new UserError('already running: lvsj stop ends the director of this network namespace');
    Director.start({ connections, markMask: markMask ?? defaults.markMask });
  });
  return exit.ok;
}

export async function runStop(args: string[]): Promise<number> {
  const command = new Command('lvsj stop').description(
    'End the director of this network namespace; connections lose their gateway, and rules, ' +
      'tables, nftables table, links, filters and sysctls are as they were before it.',
  );
  if (!(await parse(command, args))) return exit.ok;
  requireRoot();
  await refuseDaemon('lvsj stop');
  withLock(stopDirector);
  return exit.ok;
}
