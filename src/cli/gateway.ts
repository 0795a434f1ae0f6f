// lvsj gateway: what the director's gateways carry now, and what they can carry.

import { Command } from 'commander';
import { parseServer } from '../ipvsadm/address.ts';
import { requireRoot } from '../kernel/director.ts';
import {
  type BitRates,
  type Gateway,
  type GatewayName,
  readGatewayNames,
  readGateways,
  writeCapacity,
} from '../kernel/gateways.ts';
import { withLock } from '../kernel/lock.ts';
import { formatBitRate, isCapacity, parseBitRate } from '../model/bit-rate.ts';
import { exit, UserError } from '../util/error.ts';
import { formatColumns } from './columns.ts';
import { parse } from './parse.ts';
import { directorToRead, directorToWrite, printJson } from './running.ts';

const columns = [
  { title: 'id', right: true },
  { title: 'address' },
  { title: 'link' },
  { title: 'capacity down', right: true },
  { title: 'up', right: true },
  { title: 'now down', right: true },
  { title: 'up', right: true },
  { title: 'active', right: true },
  { title: 'inactive', right: true },
  { title: 'answer', right: true },
  { title: '' },
];

const formatCapacity = (bits: number, assumed: boolean): string =>
  assumed ? `(${formatBitRate(bits)})` : formatBitRate(bits);

const formatTime = (us: number | null): string =>
  us === null ? '-' : `${(us / 1000).toFixed(us < 100_000 ? 1 : 0)} ms`;

function toRow({ capacity, rate, connections, ...gateway }: Gateway): string[] {
  return [
    String(gateway.id),
    gateway.address,
    gateway.link,
    formatCapacity(capacity.down, capacity.downAssumed),
    formatCapacity(capacity.up, capacity.upAssumed),
    formatBitRate(rate.down),
    formatBitRate(rate.up),
    String(connections.active),
    String(connections.inactive),
    formatTime(gateway.rttUs),
    gateway.present ? '' : 'deleted',
  ];
}

/** For people; bits a second. */
export function formatGateways(gateways: readonly Gateway[]): string {
  const lines = formatColumns(columns, gateways.map(toRow));
  const assumed = gateways.some(({ capacity }) => capacity.downAssumed || capacity.upAssumed);
  lines.push('', 'capacity, now: bits a second; answer: from SYN to SYN-ACK');
  if (assumed) lines.push('in brackets: nobody told; lvsj gateway NAME capacity DOWN UP');
  return `${lines.join('\n')}\n`;
}

/** By number, or by address as ipvsadm takes and prints it: its port, if any, means nothing. */
export function findGateway<G extends GatewayName>(gateways: readonly G[], name: string): G {
  const address = parseServer(name)?.address;
  const found = gateways.filter((gateway) =>
    address === undefined
      ? String(gateway.id) === name
      : gateway.address === address || gateway.address.split('%')[0] === address,
  );
  const [gateway, ...more] = found;
  if (gateway && more.length === 0) return gateway;
  const why = gateway
    ? `it may be any of ${found.map((each) => each.address).join(', ')}`
    : `the director has no such gateway${address === undefined ? ' (name it by address or number)' : ''}`;
  throw new UserError(`gateway ${name}: ${why}; lvsj gateway lists them`, exit.list);
}

/** `-` and 0: not told. */
export function parseCapacity(text: string): number {
  const bits = text === '-' ? 0 : parseBitRate(text);
  if (bits !== undefined && isCapacity(bits)) return bits;
  throw new UserError(
    `capacity "${text}": write bits a second with k, M or G, from 1k to 1000G, e.g. 250M or 1.5G; - for not told`,
    exit.usage,
  );
}

function setCapacity(name: string, capacity: BitRates): void {
  requireRoot();
  withLock(() => {
    const director = directorToWrite(`lvsj gateway ${name} capacity`);
    writeCapacity(director, findGateway(readGatewayNames(director), name).id, capacity);
  });
}

function list(name: string | undefined, json: boolean | undefined): void {
  const all = readGateways(directorToRead());
  const one = name === undefined ? undefined : findGateway(all, name);
  if (json) printJson(one ?? all);
  else process.stdout.write(formatGateways(one ? [one] : all));
}

export async function runGateway(args: string[]): Promise<number> {
  const command = new Command('lvsj gateway')
    .description('List the gateways of the director, or tell it how much one carries.')
    .usage('[NAME] [--json]\n       lvsj gateway NAME capacity DOWN UP')
    .argument('[name]', 'its address (192.0.2.1, fe80::1%eth1) or number')
    .argument('[verb]', 'capacity: what its line carries, which lbw goes by')
    .argument('[down]', 'bits a second from the internet: 250M, 1.5G; - for not told')
    .argument('[up]', 'bits a second to the internet')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const [name, verb, down, up] = command.args;
  if (name === undefined || verb === undefined) list(name, command.opts<{ json?: boolean }>().json);
  else if (verb === 'capacity' && down !== undefined && up !== undefined)
    setCapacity(name, { down: parseCapacity(down), up: parseCapacity(up) });
  else
    throw new UserError(
      `lvsj gateway ${command.args.join(' ')}: write lvsj gateway NAME capacity DOWN UP`,
      exit.usage,
    );
  return exit.ok;
}
