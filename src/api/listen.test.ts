// The unix socket: who may open it, what becomes of an old one, and that it goes with the daemon.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { fakeStore, status } from '../../test/fake-store.ts';
import type { StatusState } from '../model/state.ts';
import { UserError } from '../util/error.ts';
import { waitUntil } from '../util/wait-until.ts';
import { createApi } from './app.ts';
import { askDaemon } from './ask-daemon.ts';
import { listenApi } from './listen.ts';

const isRoot = process.getuid?.() === 0;

/** A path in a folder that does not exist yet, as /run/lvsj after boot. */
function newPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-listen-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'run', 'lvsj.sock');
}

async function listen(t: TestContext, path: string, group = ''): Promise<FastifyInstance> {
  const app = createApi(fakeStore(), { version: '0.1.0' });
  t.after(() => app.close());
  await listenApi(app, { path, group });
  return app;
}

const connectionsOf = (app: FastifyInstance): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const answers = async (path: string): Promise<boolean> =>
  (await askDaemon<StatusState>('GET', '/v1/status', { socket: path }))?.ok === true;

/** The file that a killed daemon leaves: nobody listens on it. */
function leaveStale(path: string): void {
  const program = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, path]);
  assert.ok(lstatSync(path).isSocket());
}

describe('the socket', () => {
  test('answers', async (t) => {
    const path = newPath(t);
    await listen(t, path);
    assert.deepEqual(await askDaemon('GET', '/v1/status', { socket: path }), {
      ok: true,
      value: status,
    });
  });

  test('is for root alone, whatever the umask, from its first moment on', async (t) => {
    const path = newPath(t);
    const umask = process.umask(0);
    t.after(() => process.umask(umask));
    const app = createApi(fakeStore(), { version: '0.1.0' });
    t.after(() => app.close());
    const modes: number[] = [];
    // Node's listen() has bound the socket when it returns: the mode then is the first that anybody sees.
    const serverListen = app.server.listen.bind(app.server);
    app.server.listen = ((where: string) => {
      const server = serverListen(where);
      modes.push(modeOf(path));
      return server;
    }) as typeof app.server.listen;
    await listenApi(app, { path, group: '' });
    assert.deepEqual([...modes, modeOf(path)], [0o600, 0o600]);
    assert.equal(process.umask(), 0);
  });

  test('is for a group too if one is configured', { skip: !isRoot }, async (t) => {
    const path = newPath(t);
    await listen(t, path, 'daemon');
    assert.equal(modeOf(path), 0o660);
    assert.equal(statSync(path).gid, 1);
  });

  test('of a group that does not exist is not made', async (t) => {
    const path = newPath(t);
    await assert.rejects(listen(t, path, 'no-such-group'), {
      name: UserError.name,
      message: /^there is no group "no-such-group"; groupadd/,
    });
    assert.ok(!existsSync(path));
  });

  test('goes with the daemon', async (t) => {
    const path = newPath(t);
    const app = await listen(t, path);
    await app.close();
    assert.ok(!existsSync(path));
  });

  test('goes with the daemon though a client never finishes its request', async (t) => {
    const path = newPath(t);
    const app = await listen(t, path);
    const client = connect(path).resume();
    client.write('POST /v1/plan HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n');
    await waitUntil('it is there', () => connectionsOf(app).then((count) => count === 1));
    await Promise.all([app.close(), once(client, 'close')]);
    assert.ok(!existsSync(path));
  });

  test('of a daemon that was killed is replaced', async (t) => {
    const path = newPath(t);
    await (await listen(t, path)).close();
    leaveStale(path);
    assert.equal(await askDaemon('GET', '/v1/status', { socket: path }), undefined);
    await listen(t, path);
    assert.ok(await answers(path));
  });

  test('of a daemon that answers is left to it', async (t) => {
    const path = newPath(t);
    await listen(t, path);
    await assert.rejects(listen(t, path), {
      name: UserError.name,
      message: /another lvsj daemon answers there/,
    });
    assert.ok(await answers(path));
  });

  test('does not replace a file that is none', async (t) => {
    const path = newPath(t);
    await (await listen(t, path)).close();
    writeFileSync(path, 'mine');
    await assert.rejects(listen(t, path), /a file that is no socket is there/);
    assert.ok(lstatSync(path).isFile());
  });
});
