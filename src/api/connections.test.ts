// Pages of connections.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { connectionState } from '../../test/fake-store.ts';
import type { ConnectionState } from '../model/state.ts';
import { pageConnections } from './connections.ts';

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

  test('have only what the filter lets through, and count that alone', () => {
    const table = numbered(10);
    const page = pageConnections(table, { port: 10_003 }, { limit: 5 });
    assert.deepEqual(page, { items: [table[3]], next: null, total: 1 });
  });

  test('tell templates of two services apart', () => {
    const template = { protocol: 0, clientPort: 0, serverPort: 0 };
    const table = [1, 2].map((fwmark) => connectionState({ ...template, fwmark }));
    const marks = readPages(table, 1).flatMap(({ items }) => items.map(({ fwmark }) => fwmark));
    assert.deepEqual(sorted(marks), [1, 2]);
  });
});
