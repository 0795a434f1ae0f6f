// Metrics over TCP: for who shows the token, and nothing but metrics.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listenMetrics, type MetricsListenOptions } from './listen-metrics.ts';

const token = '5f2b7c1e9a';

function tokenFile(t: TestContext, text = `${token}\n`, mode = 0o640): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-metrics-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const optionsOf = (t: TestContext): MetricsListenOptions => ({
  listen: '127.0.0.1:0',
  tokenFile: tokenFile(t),
  readMetrics: async () => 'lvsj_connections 11\n',
  onError: (error) => assert.fail(String(error)),
});

/** Asks a listener of its own. */
async function ask(
  t: TestContext,
  { path = '/metrics', ...init }: RequestInit & { path?: string },
  options = optionsOf(t),
): Promise<{ status: number; text: string; headers: Headers }> {
  const listener = await listenMetrics(options);
  t.after(() => listener.close());
  const { port, family, address } = listener.address;
  const host = family === 'IPv6' ? `[${address}]` : address;
  const response = await fetch(`http://${host}:${port}${path}`, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const authorized = { authorization: `Bearer ${token}` };

describe('the metrics listener', () => {
  test('answers who shows the token', async (t) => {
    const { status, text, headers } = await ask(t, { headers: authorized });
    assert.deepEqual([status, text], [200, 'lvsj_connections 11\n']);
    assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  });

  test('listens on IPv6 too', async (t) => {
    const options = { ...optionsOf(t), listen: '[::1]:0' };
    assert.equal((await ask(t, { headers: authorized }, options)).status, 200);
  });

  const wrong: [why: string, headers: Record<string, string>][] = [
    ['no token', {}],
    ['another token', { authorization: 'Bearer 5f2b7c1e9b' }],
    ['the beginning of the token', { authorization: 'Bearer 5f2b7c1e9' }],
    ['more than the token', { authorization: `Bearer ${token}a` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${token}` }],
  ];
  for (const [why, headers] of wrong)
    for (const path of ['/metrics', '/v1/status'])
      test(`refuses ${path} with ${why}`, async (t) => {
        const answer = await ask(t, { path, headers });
        assert.deepEqual([answer.status, answer.text], [401, 'show the token\n']);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      });

  for (const path of ['/', '/v1/status', '/v1/openapi.json', '/metrics/', '/metrics/../v1/status'])
    test(`has no ${path}, with the token either`, async (t) => {
      assert.equal((await ask(t, { path, headers: authorized })).status, 404);
    });

  for (const method of ['POST', 'PATCH', 'DELETE'])
    test(`takes no ${method}`, async (t) => {
      assert.equal((await ask(t, { method, headers: authorized })).status, 405);
    });

  test('tells the log, not the client, why metrics cannot be read', async (t) => {
    const errors: unknown[] = [];
    const failing = {
      ...optionsOf(t),
      readMetrics: () => Promise.reject(new Error('secret')),
      onError: (error: unknown) => errors.push(String(error)),
    };
    const { status, text } = await ask(t, { headers: authorized }, failing);
    assert.deepEqual([status, text], [500, "the daemon's log says why\n"]);
    assert.deepEqual(errors, ['Error: secret']);
  });
});

test('the metrics listener ends though a client says nothing', async (t) => {
  const listener = await listenMetrics(optionsOf(t));
  const client = connect(listener.address.port, listener.address.address).resume();
  await once(client, 'connect');
  await Promise.all([listener.close(), once(client, 'close')]);
});

describe('the metrics listener does not start', () => {
  const refused = async (t: TestContext, fields: Partial<MetricsListenOptions>, why: RegExp) =>
    assert.rejects(listenMetrics({ ...optionsOf(t), ...fields }), {
      name: 'UserError',
      message: why,
    });

  test('without a token', (t) =>
    refused(t, { tokenFile: tokenFile(t, ' \n') }, /it is empty; write one: openssl rand/));
  test('with a token that everybody can read', (t) =>
    refused(t, { tokenFile: tokenFile(t, token, 0o644) }, /everybody can read .*; chmod o= /));
  test('with a token that everybody can change', (t) =>
    refused(t, { tokenFile: tokenFile(t, token, 0o642) }, /everybody can read .*; chmod o= /));
  test('with a token of two words', (t) =>
    refused(t, { tokenFile: tokenFile(t, 'a b') }, /one word/));
  test('with a token file that is not there', (t) =>
    refused(t, { tokenFile: '/nonexistent/token' }, /^metrics token .*ENOENT/));
  for (const listen of [
    '9100',
    ':9100',
    'localhost:9100',
    '::1:9100',
    '[127.0.0.1]:1',
    '127.0.0.1:65536',
  ])
    test(`on "${listen}"`, (t) => refused(t, { listen }, /write address:port/));
  test('on an address that this machine does not have', (t) =>
    refused(t, { listen: '192.0.2.77:9100' }, /^listen on 192.0.2.77:9100 for metrics: .*EADDR/));
});
