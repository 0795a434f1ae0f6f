// Which connections a filter lets through, and a page of them.

import { BlockList, isIP } from 'node:net';
import type { ConnectionState } from '../model/state.ts';
import type { ConnectionFilter, ConnectionPage, Page } from './store.ts';

/** A prefix or an address as its parts; undefined if it is neither. */
export function parsePrefix(text: string): { address: string; length: number } | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  if (family === 0 || address.includes('%') || more.length > 0) return undefined;
  if (length === undefined) return { address, length: longest };
  if (!/^[0-9]{1,3}$/.test(length) || Number(length) > longest) return undefined;
  return { address, length: Number(length) };
}

type Matches = (connection: ConnectionState) => boolean;

function matchPrefix(text: string, addressOf: (connection: ConnectionState) => string): Matches {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Error(`matchPrefix: "${text}" is no prefix`);
  const family = isIP(prefix.address);
  const list = new BlockList();
  list.addSubnet(prefix.address, prefix.length, family === 4 ? 'ipv4' : 'ipv6');
  // BlockList lets IPv4 match ::ffff:0:0/96; to people the families are two.
  return (connection) =>
    connection.family === family &&
    list.check(addressOf(connection), family === 4 ? 'ipv4' : 'ipv6');
}

/** The filter's parsed form; its prefixes were checked before. */
export function matchConnection(filter: ConnectionFilter): Matches {
  const { client, server, gateway, service, protocol, port } = filter;
  const state = filter.state?.toUpperCase();
  const tests: Matches[] = [];
  if (protocol !== undefined) tests.push((each) => each.protocol === protocol);
  if (port !== undefined)
    tests.push((each) => each.clientPort === port || each.serverPort === port);
  if (gateway !== undefined)
    tests.push((each) => each.gatewayName === gateway || each.gateway === gateway);
  if (service !== undefined) tests.push((each) => each.serviceName === service);
  if (state !== undefined) tests.push((each) => each.state === state);
  if (client !== undefined) tests.push(matchPrefix(client, (each) => each.client));
  if (server !== undefined) tests.push(matchPrefix(server, (each) => each.server));
  return (connection) => tests.every((test) => test(connection));
}

/** Tells an entry from all others for as long as it lives. */
function keyOf(connection: ConnectionState): string {
  const { protocol, client, clientPort, server, serverPort, fwmark } = connection;
  // Templates of two services may differ in nothing else.
  const service = protocol === 0 ? fwmark : 0;
  return [protocol, client, clientPort, server, serverPort, service].join(' ');
}

const toCursor = (key: string): string => Buffer.from(key).toString('base64url');
const fromCursor = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

interface Entry {
  key: string;
  connection: ConnectionState;
}

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1);

/**
 * The page that follows `after`, in the order of the entries' keys. The order is fixed and a cursor is a place in it, not a
 * count: whatever comes and goes between two pages, what is there all the while is on exactly one of them.
 * Holds no more than two pages, however many connections there are.
 */
export function pageConnections(
  connections: Iterable<ConnectionState>,
  filter: ConnectionFilter,
  { after, limit }: Page,
): ConnectionPage {
  const matches = matchConnection(filter);
  const start = after === undefined ? '' : fromCursor(after);
  let total = 0;
  let first: Entry[] = [];
  for (const connection of connections) {
    if (!matches(connection)) continue;
    total++;
    const key = keyOf(connection);
    if (key <= start) continue;
    first.push({ key, connection });
    // One more than the page: it tells that there is a next one.
    if (first.length > 2 * (limit + 1)) first = first.sort(byKey).slice(0, limit + 1);
  }
  const page = first.sort(byKey).slice(0, limit);
  const next = first.length > limit ? toCursor(page.at(-1)?.key ?? '') : null;
  return { items: page.map(({ connection }) => connection), next, total };
}
