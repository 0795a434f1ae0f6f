// A daemon that answers, one that hangs, and none.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { readDaemon } from './daemon.ts';

const directory = mkdtempSync(join(tmpdir(), 'lvsj-daemon-'));
after(() => rmSync(directory, { recursive: true }));
const socket = join(directory, 'socket');

async function serve(t: TestContext, listener: RequestListener): Promise<void> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    listener(request, response);
  }).listen(socket);
  t.after(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });
  await once(server, 'listening');
}

test('a daemon says its process and why the newest file was refused', async (t) => {
  const state = { pid: 812, error: 'lvsj.yaml:3:1: …', needyRules: [] };
  let asked: string | undefined;
  await serve(t, ({ url }, response) => {
    asked = url;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...state, later: 'fields are ignored' }));
  });
  assert.deepEqual(await readDaemon(socket), state);
  assert.equal(asked, '/v1/daemon');
});

test('nobody answers where there is no socket', async () => {
  assert.equal(await readDaemon(join(directory, 'none')), null);
});

for (const [what, body] of [
  ['other words', 'hello'],
  ['another object', '{"error":"not found"}'],
])
  test(`an answer of ${what} is none`, async (t) => {
    await serve(t, (_, response) => response.end(body));
    assert.equal(await readDaemon(socket), null);
  });

test('a daemon that hangs is not waited for', async (t) => {
  await serve(t, () => {});
  assert.equal(await readDaemon(socket), null);
});
