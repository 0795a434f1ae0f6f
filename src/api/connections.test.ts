// Filters and pages of connections.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { connectionState } from '../../test/fake-store.ts';
import type { ConnectionState } from '../model/state.ts';
import { pageConnections, parsePrefix } from './connections.ts';
import type { ConnectionFilter } from './store.ts';

const connections: ConnectionState[] = [
  connectionState({ client: '10.0.0.1', clientPort: 40001 }),
  connectionState({
    client: '10.0.1.1',
    protocol: 17,
    serverPort: 53,
    state: 'UDP',
    gatewayName: 'lte',
  }),
  connectionState({ client: '10.0.0.2', gatewayName: '', gateway: '192.0.2.9' }),
  connectionState({
    family: 6,
    client: '2001:db8::1',
    server: '2001:db8:1::1',
    serviceName: 'mail',
    gatewayName: 'lte',
  }),
];

const clientsOf = (filter: ConnectionFilter): string[] =>
  pageConnections(connections, filter, { limit: 10 })
    .items.map(({ client }) => client)
    .sort();

describe('a filter of connections', () => {
  const all = connections.map(({ client }) => client).sort();
  const cases: [name: string, filter: ConnectionFilter, clients: string[]][] = [
    ['that is empty lets all through', {}, all],
    ['takes a client prefix', { client: '10.0.0.0/24' }, ['10.0.0.1', '10.0.0.2']],
    ['takes a client address', { client: '10.0.0.2' }, ['10.0.0.2']],
    ['takes the prefix of all IPv4', { client: '0.0.0.0/0' }, ['10.0.0.1', '10.0.0.2', '10.0.1.1']],
    ['takes the prefix of all IPv6', { client: '::/0' }, ['2001:db8::1']],
    ['takes a server prefix', { server: '2001:db8:1::/48' }, ['2001:db8::1']],
    ['takes a gateway by name', { gateway: 'fiber' }, ['10.0.0.1']],
    ['takes a gateway by address', { gateway: '192.0.2.9' }, ['10.0.0.2']],
    ['takes a service', { service: 'mail' }, ['2001:db8::1']],
    ['takes a protocol', { protocol: 17 }, ['10.0.1.1']],
    ['takes a port of either end', { port: 53 }, ['10.0.1.1']],
    ['takes a state in any case', { state: 'udp' }, ['10.0.1.1']],
    ['holds in all its parts', { client: '10.0.0.0/8', protocol: 17, port: 80 }, []],
  ];
  for (const [name, filter, clients] of cases)
    test(name, () => assert.deepEqual(clientsOf(filter), clients));
});

describe('a prefix', () => {
  test('is an address with or without a length', () => {
    assert.deepEqual(parsePrefix('10.0.0.0/8'), { address: '10.0.0.0', length: 8 });
    assert.deepEqual(parsePrefix('2001:db8::'), { address: '2001:db8::', length: 128 });
  });
  for (const bad of ['', '10.0.0', '10.0.0.0/33', '10.0.0.0/', '::/129', '::/1/2', 'fe80::1%eth0'])
    test(`is not "${bad}"`, () => assert.equal(parsePrefix(bad), undefined));
});

/** Every page, the table changed by `change` between each two. */
function readPages(
  start: ConnectionState[],
  limit: number,
  change = (table: typeof start) => table,
) {
  const pages = [];
  let table = start;
  let after: string | undefined;
  do {
    const page = pageConnections(table, {}, { after, limit });
    pages.push(page);
    after = page.next ?? undefined;
    table = change(table);
  } while (after !== undefined);
  return pages;
}

const numbered = (count: number): ConnectionState[] =>
  Array.from({ length: count }, (_, i) => connectionState({ clientPort: 10_000 + i }));

const sorted = (ports: number[]): number[] => ports.toSorted((a, b) => a - b);

describe('pages of connections', () => {
  test('hold each connection once, whatever the size of a page', () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 25 }), (count, limit) => {
        const pages = readPages(numbered(count).reverse(), limit);
        const ports = pages.flatMap(({ items }) => items.map(({ clientPort }) => clientPort));
        assert.deepEqual(sorted(ports), sorted(numbered(count).map((each) => each.clientPort)));
        assert.ok(pages.every(({ items, total }) => items.length <= limit && total === count));
        assert.equal(pages.length, Math.max(1, Math.ceil(count / limit)));
      }),
    );
  });

  test('hold what stays exactly once while others come and go', () => {
    const stays = numbered(200);
    const goes = numbered(200).map((each) => ({ ...each, server: '198.51.100.1' }));
    const pages = readPages([...goes, ...stays], 7, (table) => [
      ...table.filter(({ server }, i) => server !== '198.51.100.1' || i % 3 !== 0),
      connectionState({ client: `10.9.0.${table.length % 250}` }),
    ]);
    const items = pages.flatMap((page) => page.items);
    const seen = items.filter(
      ({ server, client }) => server === stays[0]?.server && client === stays[0]?.client,
    );
    assert.deepEqual(
      sorted(seen.map(({ clientPort }) => clientPort)),
      stays.map(({ clientPort }) => clientPort),
    );
  });

  test('tell templates of two services apart', () => {
    const template = { protocol: 0, clientPort: 0, serverPort: 0 };
    const table = [1, 2].map((fwmark) => connectionState({ ...template, fwmark }));
    const marks = readPages(table, 1).flatMap(({ items }) => items.map(({ fwmark }) => fwmark));
    assert.deepEqual(sorted(marks), [1, 2]);
  });
});
