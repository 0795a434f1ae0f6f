// Connections for people: a table that is printed while it is read.

import { formatEndpoint, formatExpiry } from '../ipvsadm/format.ts';
import { addressFromWords } from '../model/address.ts';
import { formatProtocol } from '../model/protocol.ts';
import type { ConnectionState } from '../model/state.ts';
import { type Cell, formatRows } from './columns.ts';
import { type Paint, plain } from './paint.ts';

const columns = [
  { title: 'protocol' },
  { title: 'client' },
  { title: 'server' },
  { title: 'gateway' },
  { title: 'service' },
  { title: 'state' },
  { title: 'expires', right: true },
  { title: 'chosen by' },
];

/** `198.51.100.10:443`, `[2001:db8::1]:443`, and without a port where there is none. */
const formatEnd = (address: string, port: number): string =>
  port === 0 ? address : formatEndpoint(address, port);

/** The side of which a template does not speak: nothing, or the service's fwmark in its place. */
function isOpen(address: string, { family, fwmark }: ConnectionState): boolean {
  const mark = family === 4 ? [0, 0, 0xffff, fwmark] : [fwmark, 0, 0, 0];
  return ['0.0.0.0', '::', addressFromWords(mark)].includes(address);
}

function toRow(connection: ConnectionState): Cell[] {
  const { protocol, client, clientPort, server, serverPort } = connection;
  const ends =
    protocol === 0
      ? [client, server].map((address) => (isOpen(address, connection) ? 'any' : address))
      : [formatEnd(client, clientPort), formatEnd(server, serverPort)];
  return [
    formatProtocol(protocol),
    ...ends,
    connection.gatewayName,
    connection.serviceName || `fwmark ${connection.fwmark}`,
    connection.state,
    formatExpiry(connection.expires),
    connection.reason || '-',
  ];
}

function* firstRows(connections: Iterator<ConnectionState>, limit: number): Generator<Cell[]> {
  for (let shown = 0; shown < limit; shown++) {
    const next = connections.next();
    if (next.done) return;
    yield toRow(next.value);
  }
}

/** The first so many, and how many there are beyond them. */
export function* formatConnections(
  connections: Iterable<ConnectionState>,
  limit = Number.POSITIVE_INFINITY,
  paint: Paint = plain,
): Generator<string> {
  const all = connections[Symbol.iterator]();
  yield* formatRows(columns, firstRows(all, limit), paint);
  let more = 0;
  while (!all.next().done) more++;
  if (more > 0) yield* ['', `… and ${more} more; --limit says how many are shown, 0 all`];
}
