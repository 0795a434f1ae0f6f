// lvsj connection: which connections there are, and which gateway each of them has.

import { Command, InvalidArgumentError } from 'commander';
import { readApplied } from '../kernel/applied.ts';
import {
  type GatewayIdentity,
  readConnectionStates,
  readGatewayIdentities,
} from '../kernel/read-state.ts';
import type { ServiceConfig } from '../model/config.ts';
import { type ConnectionFilter, matchConnection, parsePrefix } from '../model/connection-filter.ts';
import { parseProtocol } from '../model/protocol.ts';
import type { ConnectionState } from '../model/state.ts';
import { exit, UserError } from '../util/error.ts';
import { formatConnections } from './connection-text.ts';
import { findGateways } from './find-gateway.ts';
import { forTerminal } from './paint.ts';
import { parse } from './parse.ts';
import { printJson, printLines } from './print.ts';
import { directorToRead } from './running.ts';
import { formatJsonArray, printStream } from './stream.ts';

/** What fits a screen; programs get all. */
const limitForPeople = 50;

export interface Options extends Omit<ConnectionFilter, 'family'> {
  limit?: number;
  count?: boolean;
  json?: boolean;
}

function checkPrefix(text: string): string {
  if (parsePrefix(text)) return text;
  throw new InvalidArgumentError('Write an address or a prefix: 10.0.0.11, 10.0.0.0/24.');
}

function toProtocol(word: string): number {
  const number = parseProtocol(word);
  if (number !== undefined) return number;
  throw new InvalidArgumentError('Write tcp, udp, icmp, icmpv6, sctp, …, a number, or template.');
}

const toNumber =
  (largest: number) =>
  (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number <= largest) return number;
    throw new InvalidArgumentError(`Write a whole number from 0 to ${largest}.`);
  };

export const connectionCommand = (): Command =>
  new Command('lvsj connection')
    .description('List the connections and the gateway of each; docs/connection.md says more.')
    .option('--client <prefix>', 'of these clients: 10.0.0.11, 10.0.0.0/24', checkPrefix)
    .option('--server <prefix>', 'to these servers', checkPrefix)
    .option('--gateway <name>', 'on this gateway: its name, address or number')
    .option('--service <name>', 'of this service: its name or fwmark')
    .option(
      '--protocol <name>',
      'tcp, udp, icmp, …, a number; template: only templates',
      toProtocol,
    )
    .option('--port <number>', "the client's or the server's", toNumber(65_535))
    .option('--state <name>', 'ESTABLISHED, FIN_WAIT, UDP …')
    .option(
      '--limit <number>',
      `so many, 0 = all (default: ${limitForPeople}; with --json all)`,
      toNumber(1e9),
    )
    .option('--count', 'only how many there are')
    .option('--json', 'for programs');

/** A name means both families of a gateway, an address or a number one. */
function toGatewayFilter(word: string, gateways: readonly GatewayIdentity[]): ConnectionFilter {
  const [first, ...others] = findGateways(gateways, word);
  const family = others.length === 0 ? first?.family : undefined;
  return { gateway: first?.name || first?.address, family };
}

/** A fwmark may be of a service that is gone, whose connections are still there. */
function toFwmark(word: string, services: readonly NamedService[]): string {
  const mark = services.find(({ name }) => name === word)?.fwmark ?? Number(word || Number.NaN);
  if (Number.isInteger(mark)) return String(mark);
  throw new UserError(
    `service ${word}: no service has this name (name it by its name or fwmark); lvsj service lists them`,
    exit.list,
  );
}

type NamedService = Pick<ServiceConfig, 'name' | 'fwmark'>;

/** The filter that the words mean, by what there is; throws where a name means nothing. */
export function toFilter(
  { client, server, gateway, service, protocol, port, state }: Options,
  gateways: readonly GatewayIdentity[],
  services: readonly NamedService[],
): ConnectionFilter {
  return {
    ...{ client, server, protocol, port, state },
    ...(gateway === undefined ? {} : toGatewayFilter(gateway, gateways)),
    service: service === undefined ? undefined : toFwmark(service, services),
  };
}

/** Templates are counted for themselves: they are no connections. */
export function countConnections(connections: Iterable<ConnectionState>) {
  const counts = { connections: 0, templates: 0 };
  for (const { protocol } of connections) counts[protocol === 0 ? 'templates' : 'connections']++;
  return counts;
}

function* matching(
  connections: Iterable<ConnectionState>,
  filter: ConnectionFilter,
): Generator<ConnectionState> {
  const matches = matchConnection(filter);
  for (const connection of connections) if (matches(connection)) yield connection;
}

async function print(
  found: Generator<ConnectionState>,
  { count, json, limit }: Options,
): Promise<void> {
  if (count) {
    const counts = countConnections(found);
    if (json) printJson(counts);
    else printLines([`${counts.connections} connections, ${counts.templates} templates`]);
  } else if (json) {
    await printStream(formatJsonArray(limit ? found.take(limit) : found));
  } else {
    const most = limit === 0 ? Number.POSITIVE_INFINITY : (limit ?? limitForPeople);
    await printStream(formatConnections(found, most, forTerminal));
  }
}

export async function runConnection(args: string[]): Promise<number> {
  const command = connectionCommand();
  if (!(await parse(command, args))) return exit.ok;
  const options = command.opts<Options>();
  using director = directorToRead();
  const applied = readApplied(director);
  const gateways = readGatewayIdentities(director, applied);
  const filter = toFilter(options, gateways, applied?.config.services ?? []);
  await print(matching(readConnectionStates(director, applied), filter), options);
  return exit.ok;
}
