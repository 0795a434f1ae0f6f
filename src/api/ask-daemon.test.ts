// The command line's side of the API.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fakeStore, problemOf, status } from '../../test/fake-store.ts';
import { run } from '../util/run.ts';
import { createApi } from './app.ts';
import { askDaemon } from './ask-daemon.ts';
import { listenApi } from './listen.ts';

function newPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-ask-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'lvsj.sock');
}

async function startDaemon(t: TestContext): Promise<string> {
  const path = newPath(t);
  const app = createApi(fakeStore(), { version: '0.1.0' });
  t.after(() => app.close());
  await listenApi(app, { path, group: '' });
  return path;
}

/** Something that listens and is not well. */
async function startServer(t: TestContext, listener: RequestListener): Promise<string> {
  const path = newPath(t);
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}

describe('asking the daemon', () => {
  test('gives what it answers', async (t) => {
    const socket = await startDaemon(t);
    const answer = await askDaemon('GET', '/v1/status', { socket });
    assert.deepEqual(answer, { ok: true, value: status });
  });

  test('gives text where it answers text', async (t) => {
    const answer = await askDaemon<string>('GET', '/metrics', { socket: await startDaemon(t) });
    assert.ok(answer?.ok && answer.value.startsWith('# HELP lvsj_build_info'));
  });

  test('gives the error and all problems where it refuses', async (t) => {
    const socket = await startDaemon(t);
    const body = { text: 'bad', file: 'a.yaml' };
    assert.deepEqual(await askDaemon('POST', '/v1/apply', { socket, body }), {
      ok: false,
      status: 400,
      error: 'the configuration has 1 error; nothing was changed',
      problems: [problemOf('a.yaml')],
    });
  });

  test('gives nothing where no daemon ever listened', async (t) => {
    assert.equal(await askDaemon('GET', '/v1/status', { socket: newPath(t) }), undefined);
  });

  test('fails with a sentence where it takes too long', async (t) => {
    const socket = await startServer(t, () => {});
    await assert.rejects(askDaemon('GET', '/v1/status', { socket, timeoutMs: 20 }), {
      name: 'UserError',
      message: /^GET \/v1\/status: the daemon at .* did not answer within 0.02 s/,
    });
  });

  test('fails with a sentence where the answer does not end in time', async (t) => {
    const socket = await startServer(t, (_, response) => response.write('{'));
    await assert.rejects(askDaemon('GET', '/v1/status', { socket, timeoutMs: 200 }), {
      name: 'UserError',
      message: /did not answer within 0.2 s/,
    });
  });

  test('fails with a sentence where it ends before it has answered', async (t) => {
    const socket = await startServer(t, ({ socket }) => socket.destroy());
    await assert.rejects(askDaemon('GET', '/v1/status', { socket }), {
      name: 'UserError',
      message: /ended before it had answered/,
    });
  });

  test('says who may', { skip: process.getuid?.() !== 0 }, async (t) => {
    const socket = await startDaemon(t);
    run(['chmod', '711', join(socket, '..')]);
    const seteuid = process.seteuid?.bind(process);
    seteuid?.(65534);
    t.after(() => seteuid?.(0));
    const asked = askDaemon('GET', '/v1/status', { socket });
    await assert
      .rejects(asked, /is for root, and for the group of api.group/)
      .finally(() => seteuid?.(0));
  });
});
