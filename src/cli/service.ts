// lvsj service: each service, and what its gateways have of it.

import { Command } from 'commander';
import { readApplied } from '../kernel/applied.ts';
import { readServiceStates } from '../kernel/read-state.ts';
import { formatAmount } from '../model/amount.ts';
import type { ServiceGatewayState, ServiceState } from '../model/state.ts';
import { exit, UserError } from '../util/error.ts';
import { type Cell, formatColumns } from './columns.ts';
import { forTerminal, type Paint, plain } from './paint.ts';
import { parse } from './parse.ts';
import { printJson, printLines } from './print.ts';
import { directorToRead } from './running.ts';

const wholeNetmasks: readonly string[] = ['255.255.255.255', '128'];

/** Who stays where: `clients stay 300 s`, `networks (255.255.255.0) of clients stay 60 s`. */
function formatPersistence({ persistence, persistenceKey, netmask }: ServiceState): string[] {
  if (persistence === 0) return [];
  const mask = wholeNetmasks.includes(netmask) ? '' : `, mask ${netmask}`;
  return [`persistent ${persistence} s by ${persistenceKey}${mask}`];
}

const hasTiers = ({ gateways }: ServiceState): boolean =>
  new Set(gateways.map(({ tier }) => tier)).size > 1;

/** What it does at failures, where that is more than nothing. */
function formatPolicy(service: ServiceState): string[] {
  const { onDown, failback, lastResort, fastpath } = service;
  return [
    ...(onDown === 'keep' ? [] : [`on-down ${onDown}`]),
    ...(hasTiers(service) ? [`failback ${failback}`] : []),
    ...(lastResort === 'main' ? [] : [`last-resort ${lastResort}`]),
    ...(fastpath === 'off' ? [] : [`fastpath ${fastpath}`]),
  ];
}

/** `web: fwmark 1, IPv4, wlc, persistent 300 s by source`. */
function formatHead(service: ServiceState, paint: Paint): string {
  const { name, fwmark, family, scheduler, schedulerFlags, onePacket } = service;
  const words = [
    ...(name === '' ? [] : [`fwmark ${fwmark}`]),
    `IPv${family}`,
    [scheduler, ...schedulerFlags].join(' '),
    ...formatPersistence(service),
    ...(onePacket ? ['one packet'] : []),
    ...formatPolicy(service),
  ];
  return `${paint('bold', name || `fwmark ${fwmark}`)}: ${words.join(', ')}`;
}

/** `0 of 3` where the scheduler sees another weight than the one that is configured. */
function weightCell({ weight, effectiveWeight }: ServiceGatewayState): Cell {
  if (weight === effectiveWeight) return String(weight);
  return {
    text: `${effectiveWeight} of ${weight}`,
    style: effectiveWeight === 0 ? 'red' : 'yellow',
  };
}

const columns = [
  { title: '  gateway' },
  { title: 'address' },
  { title: 'tier', right: true, optional: true },
  { title: 'weight', right: true },
  { title: 'upper', right: true, optional: true },
  { title: 'lower', right: true, optional: true },
  { title: 'active', right: true },
  { title: 'inactive', right: true },
  { title: 'persistent', right: true, optional: true },
  { title: 'now conn/s', right: true },
  { title: 'down', right: true },
  { title: 'up', right: true },
  { title: 'so far conns', right: true },
  { title: 'down', right: true },
  { title: 'up', right: true },
];

/** Nothing is not shown. */
const formatSome = (number: number): string => (number === 0 ? '' : String(number));

function toRow(gateway: ServiceGatewayState, tiered: boolean): Cell[] {
  const { rates, totals } = gateway;
  return [
    // An unnamed one goes by its address, in the next column.
    `  ${gateway.gateway === gateway.address ? '-' : gateway.gateway}`,
    gateway.address || '-',
    tiered ? String(gateway.tier) : '',
    weightCell(gateway),
    formatSome(gateway.upper),
    formatSome(gateway.lower),
    String(gateway.active),
    String(gateway.inactive),
    formatSome(gateway.persistent),
    formatAmount(rates.connections),
    formatAmount(rates.outBytes * 8),
    formatAmount(rates.inBytes * 8),
    formatAmount(totals.connections),
    formatAmount(totals.outBytes),
    formatAmount(totals.inBytes),
  ];
}

const rowsOf = (service: ServiceState): Cell[][] =>
  service.gateways.map((gateway) => toRow(gateway, hasTiers(service)));

/** A block for each. */
export function formatServices(services: readonly ServiceState[], paint: Paint = plain): string[] {
  if (services.length === 0) return ['no services'];
  const blocks = services.flatMap((service) => [
    formatHead(service, paint),
    ...(service.gateways.length === 0
      ? ['  no gateways']
      : formatColumns(columns, rowsOf(service), paint)),
    '',
  ]);
  return [...blocks, 'now: bits a second; so far: bytes'];
}

/** By name or fwmark; both families answer. */
export function findServices(services: readonly ServiceState[], word: string): ServiceState[] {
  const named = services.filter(({ name }) => name !== '' && name === word);
  const found = named.length > 0 ? named : services.filter(({ fwmark }) => fwmark === Number(word));
  if (found.length > 0) return found;
  throw new UserError(
    `service ${word}: the director has no such service (name it by its name or fwmark); lvsj service lists them`,
    exit.list,
  );
}

export async function runService(args: string[]): Promise<number> {
  const command = new Command('lvsj service')
    .description('List the services, their gateways, and what went through each.')
    .argument('[name]', 'its name or fwmark')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  using director = directorToRead();
  const all = readServiceStates(director, readApplied(director));
  const [word] = command.args;
  const found = word === undefined ? all : findServices(all, word);
  if (command.opts<{ json?: boolean }>().json) printJson(found);
  else printLines(formatServices(found, forTerminal));
  return exit.ok;
}
