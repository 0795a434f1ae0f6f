// A page of the connections that a filter lets through.

import { type ConnectionFilter, matchConnection } from '../model/connection-filter.ts';
import type { ConnectionState } from '../model/state.ts';
import type { ConnectionPage, Page } from './store.ts';

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
