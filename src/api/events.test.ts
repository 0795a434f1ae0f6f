// Server-sent events over a real socket: what a client gets, once more after a pause, and when it does not read.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { type FakeStore, fakeStore } from '../../test/fake-store.ts';
import { waitUntil } from '../util/wait-until.ts';
import { createApi } from './app.ts';
import { listenApi } from './listen.ts';

interface Running {
  app: FastifyInstance;
  store: FakeStore;
  path: string;
}

async function start(t: TestContext, heartbeatMs?: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-events-'));
  const store = fakeStore();
  const app = createApi(store, { version: '0.1.0', ...(heartbeatMs && { heartbeatMs }) });
  const path = join(folder, 'lvsj.sock');
  await listenApi(app, { path, group: '' });
  t.after(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });
  return { app, store, path };
}

interface Client {
  response: IncomingMessage;
  /** All that came so far. */
  text: () => string;
}

async function listenTo({ path }: Running, lastId?: string): Promise<Client> {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const request = get({ socketPath: path, path: '/v1/events', headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.on('data', (chunk) => {
    text += chunk;
  });
  // The server may end it in the middle: that is what some of the tests are about.
  response.on('error', () => {});
  await waitUntil('the stream begins', () => text.startsWith('retry: 2000\n\n'));
  return { response, text: () => text };
}

const idsOf = (text: string): string[] =>
  [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');
const generationsOf = (text: string): number[] =>
  [...text.matchAll(/"generation":([0-9]+)/g)].map(([, number]) => Number(number));

const until = (client: Client, pattern: RegExp) =>
  waitUntil(`${pattern} comes`, () => pattern.test(client.text()));

/** One more than were there before, so that tests can count on from 1. */
const emit = ({ store }: Running, generation: number): void =>
  store.emit({ type: 'confirmed', generation });

test('a client gets each event with its type, number and data', async (t) => {
  const running = await start(t);
  const client = await listenTo(running);
  assert.equal(client.response.headers['content-type'], 'text/event-stream');
  emit(running, 7);
  await until(client, /generation/);
  assert.match(
    client.text(),
    /^id: [0-9a-f]{8}-1\nevent: confirmed\ndata: {"type":"confirmed","generation":7}\n\n/m,
  );
});

test('a client that comes back gets what it missed, and then what comes', async (t) => {
  const running = await start(t);
  const first = await listenTo(running);
  for (const generation of [1, 2, 3]) emit(running, generation);
  await until(first, /"generation":3/);
  first.response.destroy();
  const second = await listenTo(running, idsOf(first.text())[0]);
  emit(running, 4);
  await until(second, /"generation":4/);
  assert.deepEqual(generationsOf(second.text()), [2, 3, 4]);
});

for (const [who, lastId] of [
  ['of another daemon', '00000000-1'],
  ['from before what is remembered', 'old'],
  ['that nobody gave', 'x'],
] as const)
  test(`a client with a number ${who} is told that it missed events`, async (t) => {
    const running = await start(t);
    const probe = await listenTo(running);
    for (let generation = 1; generation <= 300; generation++) emit(running, generation);
    await until(probe, /"generation":300/);
    const [oldest = '', newest] = [idsOf(probe.text())[0], idsOf(probe.text()).at(-1)];
    const client = await listenTo(running, lastId === 'old' ? oldest : lastId);
    await until(client, /event: missed\n/);
    assert.deepEqual(generationsOf(client.text()), []);
    // From there it can go on.
    assert.deepEqual(idsOf(client.text()), [newest]);
  });

test('a quiet stream has heartbeats', async (t) => {
  const client = await listenTo(await start(t, 5));
  await until(client, /(: heartbeat\n\n){3}/);
});

/** Reads the first words of the stream, and then no more. */
async function listenWithoutReading({ path }: Running): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket.pause();
}

const connectionsOf = ({ app }: Running): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

test('a client that does not read is let go, others get everything', async (t) => {
  const running = await start(t);
  const reader = await listenTo(running);
  const slow = await listenWithoutReading(running);
  const changes = [{ verb: 'repair' as const, what: 'x'.repeat(50_000), detail: '' }];
  let sent = 0;
  await waitUntil('the slow one is let go', async () => {
    running.store.emit({ type: 'repaired', changes });
    sent++;
    return (await connectionsOf(running)) === 1;
  });
  // What the kernel holds of a socket, and our bound.
  assert.ok(sent * 50_000 < 4 * 1024 ** 2, `${sent} events`);
  await waitUntil('the reader has all', () => idsOf(reader.text()).length === sent);
  slow.destroy();
});

test('a client that does not read is no harm to many events at once', async (t) => {
  const running = await start(t);
  await listenWithoutReading(running);
  const changes = [{ verb: 'repair' as const, what: 'x'.repeat(50_000), detail: '' }];
  for (let i = 0; i < 100; i++) running.store.emit({ type: 'repaired', changes });
  await waitUntil('it is gone', async () => (await connectionsOf(running)) === 0);
});

test('the daemon ends though a client does not read', async (t) => {
  const running = await start(t);
  await listenWithoutReading(running);
  const changes = [{ verb: 'repair' as const, what: 'x'.repeat(400_000), detail: '' }];
  running.store.emit({ type: 'repaired', changes });
  await running.app.close();
});

test('a client that goes away is forgotten', async (t) => {
  const running = await start(t);
  const client = await listenTo(running);
  client.response.destroy();
  await waitUntil('it is gone', async () => (await connectionsOf(running)) === 0);
  emit(running, 1);
});

test('the 33rd client is asked to come again later, and may once one has left', async (t) => {
  const running = await start(t);
  const clients = await Promise.all(Array.from({ length: 32 }, () => listenTo(running)));
  const ask = async () => {
    const request = get({ socketPath: running.path, path: '/v1/events', agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.destroy();
    return response.statusCode;
  };
  assert.equal(await ask(), 503);
  clients[0]?.response.destroy();
  await waitUntil('there is room', async () => (await ask()) === 200);
});

test('the stream ends when the daemon does, and the store has no listener any more', async (t) => {
  const running = await start(t);
  const client = await listenTo(running);
  assert.equal(running.store.listeners.size, 1);
  const end = once(client.response, 'end');
  await running.app.close();
  await end;
  assert.equal(running.store.listeners.size, 0);
});
