// The API's routes: each answers what its store says, refuses what is wrong, and hides what is a bug.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import pino from 'pino';
import {
  config,
  connectionState,
  fakeStore,
  fiber,
  lanWeb,
  lte,
  problemOf,
  status,
  web,
} from '../../test/fake-store.ts';
import { UserError } from '../util/error.ts';
import { createApi } from './app.ts';

/** Asks once, of an API of its own. */
async function ask(request: InjectOptions, store = fakeStore()) {
  const app = createApi(store, { version: '0.1.0' });
  const response = await app.inject(request);
  await app.close();
  return response;
}

const get = (url: string, store = fakeStore()) => ask({ method: 'GET', url }, store);

/** url?query with a configuration's text as it lies on disk. */
const postYaml = (url: string, text: string, store = fakeStore()) =>
  ask({ method: 'POST', url, payload: text, headers: { 'content-type': 'text/yaml' } }, store);

const postJson = (url: string, payload: object, store = fakeStore()) =>
  ask({ method: 'POST', url, payload }, store);

describe('a reader', () => {
  const cases: [url: string, answer: unknown][] = [
    ['/v1/status', status],
    ['/v1/daemon', { pid: 4711, error: '', needyRules: [] }],
    ['/v1/gateways', [fiber, lte]],
    ['/v1/gateways/lte', [lte]],
    ['/v1/gateways/192.0.2.1', [fiber]],
    ['/v1/services', [web]],
    ['/v1/services/web', [web]],
    ['/v1/services/1', [web]],
    ['/v1/rules', [lanWeb]],
    ['/v1/config', config],
    ['/v1/connections', { items: [connectionState()], next: null, total: 1 }],
    ['/v1/connections?client=10.9.0.0/16', { items: [], next: null, total: 0 }],
  ];
  for (const [url, answer] of cases)
    test(`answers GET ${url} with all that the store says`, async () => {
      const response = await get(url);
      assert.equal(response.statusCode, 200, response.body);
      assert.deepEqual(response.json(), answer);
    });

  test('answers GET /metrics with text', async () => {
    const response = await get('/metrics');
    assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(response.body, /^lvsj_connections 11$/m);
  });

  test('tells the store the filter, numbers as numbers, and the page', async () => {
    const asked: unknown[] = [];
    const store = fakeStore({
      connections: (...args) => {
        asked.push(...args);
        return { items: [], next: null, total: 0 };
      },
    });
    const url =
      '/v1/connections?protocol=tcp&port=443&gateway=fiber&family=ipv4&limit=1000&after=eA';
    assert.equal((await get(url, store)).statusCode, 200);
    const filter = { protocol: 6, port: 443, gateway: 'fiber', family: 4 };
    assert.deepEqual(asked, [filter, { after: 'eA', limit: 1000 }]);
  });
});

describe('a reader refuses', () => {
  const cases: [why: string, url: string, status: number, error: RegExp][] = [
    ['an unknown gateway', '/v1/gateways/x', 404, /there is no gateway "x"; GET/],
    ['an unknown service', '/v1/services/x', 404, /there is no service "x"; GET/],
    ['a broken URL', '/v1/gateways/%zz', 400, /%zz/],
    ['an unknown route', '/v1/x', 404, /there is no GET \/v1\/x; GET/],
    ['a bad prefix', '/v1/connections?client=10', 400, /query: client: "10" is neither/],
    ['a bad protocol', '/v1/connections?protocol=256', 400, /protocol: "256" is neither/],
    ['a bad port', '/v1/connections?port=65536', 400, /port: /],
    ['a page too large', '/v1/connections?limit=1001', 400, /limit: .*1000/],
    ['an unknown filter', '/v1/connections?clinet=10.0.0.1', 400, /"clinet"/],
  ];
  for (const [why, url, status, error] of cases)
    test(why, async () => {
      const response = await get(url);
      assert.equal(response.statusCode, status);
      assert.match(response.json().error, error);
    });

  test('all that is wrong with a query at once', async () => {
    const { error } = (await get('/v1/connections?client=x&server=y&limit=0')).json();
    for (const key of ['client', 'server', 'limit']) assert.match(error, new RegExp(`${key}: `));
  });

  test('to show a configuration while none is applied', async () => {
    assert.equal((await get('/v1/config', fakeStore({ config: () => null }))).statusCode, 404);
  });
});

describe('a configuration', () => {
  test('comes as YAML, its name and the time to confirm in the query', async () => {
    const store = fakeStore();
    const response = await postYaml('/v1/apply?file=a.yaml&confirmSeconds=60', 'lan: [x]', store);
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(store.calls, [['apply', 'lan: [x]', 'a.yaml', 60]]);
  });

  test('comes as JSON with the same', async () => {
    const store = fakeStore();
    const body = { text: 'lan: [x]', file: 'a.yaml', confirmSeconds: 60 };
    assert.equal((await postJson('/v1/apply', body, store)).statusCode, 200);
    assert.deepEqual(store.calls, [['apply', 'lan: [x]', 'a.yaml', 60]]);
  });

  test('stays without a time to confirm', async () => {
    const store = fakeStore();
    await postJson('/v1/apply', { text: '' }, store);
    await postJson('/v1/apply', { text: '', confirmSeconds: null }, store);
    const call = ['apply', '', 'request', null];
    assert.deepEqual(store.calls, [call, call]);
  });

  for (const route of ['plan', 'apply'])
    test(`is answered by ${route} with the plan and the warnings`, async () => {
      const { plan, warnings } = (await postYaml(`/v1/${route}`, 'lan: [x]')).json();
      assert.equal(plan.changes[0].detail, 'weight 3 -> 1');
      assert.deepEqual(warnings, [{ ...problemOf('request'), severity: 'warning' }]);
    });

  for (const route of ['plan', 'apply'])
    test(`is refused by ${route} with all its problems`, async () => {
      const response = await postYaml(`/v1/${route}?file=a.yaml`, 'bad');
      assert.equal(response.statusCode, 400);
      assert.deepEqual(response.json(), {
        error: 'the configuration has 1 error; nothing was changed',
        problems: [problemOf('a.yaml')],
      });
    });

  test('may have thousands of rules', async () => {
    const rule = '  - { from: 10.0.0.0/24, proto: tcp, dport: [80, 443], service: web }\n';
    const response = await postYaml('/v1/plan', `rules:\n${rule.repeat(50_000)}`);
    assert.equal(response.statusCode, 200);
  });
});

describe('a writer', () => {
  test('reloads', async () => {
    const response = await ask({ method: 'POST', url: '/v1/reload' });
    assert.equal(response.json().plan.connections.total, 11);
  });

  test('confirms with no answer but done', async () => {
    const store = fakeStore({ confirm: async () => {} });
    const response = await ask({ method: 'POST', url: '/v1/confirm' }, store);
    assert.deepEqual([response.statusCode, response.body], [204, '']);
  });

  test('says 409 if there is nothing to confirm', async () => {
    const response = await ask({ method: 'POST', url: '/v1/confirm' });
    assert.equal(response.statusCode, 409);
    assert.deepEqual(response.json(), {
      error: 'confirm: no configuration waits to be confirmed',
    });
  });

  const setAdmin = (name: string, payload: object, store = fakeStore()) =>
    ask({ method: 'PATCH', url: `/v1/gateways/${name}`, payload }, store);

  test('sets the state of a gateway by its name, whatever it was called by', async () => {
    const store = fakeStore();
    const response = await setAdmin('192.0.2.1', { admin: 'drained' }, store);
    assert.deepEqual(response.json(), [fiber]);
    assert.deepEqual(store.calls, [['setAdmin', 'fiber', 'drained']]);
  });

  test('sets no state of a gateway that the configuration does not have', async () => {
    const store = fakeStore({ gateways: () => [{ ...fiber, name: '' }] });
    const response = await setAdmin('192.0.2.1', { admin: 'drained' }, store);
    assert.equal(response.statusCode, 409);
    assert.deepEqual(store.calls, []);
  });

  test('refuses an unknown gateway, an unknown state and more than a state', async () => {
    assert.equal((await setAdmin('x', { admin: 'drained' })).statusCode, 404);
    assert.equal((await setAdmin('fiber', { admin: 'off' })).statusCode, 400);
    assert.equal((await setAdmin('fiber', { admin: 'drained', x: 1 })).statusCode, 400);
  });
});

describe('a body is refused', () => {
  const post = (payload: string, type: string) =>
    ask({ method: 'POST', url: '/v1/apply', payload, headers: { 'content-type': type } });
  const cases: [why: string, payload: string, type: string, status: number, error: RegExp][] = [
    ['that is no JSON', '{', 'application/json', 400, /not valid JSON/],
    ['without a text', '{}', 'application/json', 400, /body: text: /],
    ['with more than we know', '{"text":"","x":1}', 'application/json', 400, /"x"/],
    ['with too short a time', '{"text":"","confirmSeconds":0}', 'application/json', 400, />=1/],
    ['of another type', 'a=b', 'application/x-www-form-urlencoded', 415, /send text\/yaml or/],
    ['that is too large', 'x'.repeat(17 * 1024 ** 2), 'text/yaml', 413, /too large/],
  ];
  for (const [why, payload, type, status, error] of cases)
    test(why, async () => {
      const response = await post(payload, type);
      assert.equal(response.statusCode, status);
      assert.match(response.json().error, error);
    });
});

describe('an error of the store', () => {
  const throwing = (error: Error) =>
    fakeStore({
      rules: () => {
        throw error;
      },
    });

  test('for the user is shown, as 503 where somebody only looks', async () => {
    const response = await get('/v1/rules', throwing(new UserError('nft is not installed')));
    assert.equal(response.statusCode, 503);
    assert.deepEqual(response.json(), { error: 'nft is not installed' });
  });

  test('that is a bug goes to the log and tells the client nothing', async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line: string) => lines.push(line) });
    const store = throwing(new TypeError('secret of line 7'));
    const app = createApi(store, { version: '0.1.0', logger });
    const response = await app.inject('/v1/rules');
    await app.close();
    assert.equal(response.statusCode, 500);
    assert.deepEqual(Object.keys(response.json()), ['error']);
    assert.doesNotMatch(response.body, /secret|TypeError|\.ts/);
    assert.match(lines.join(''), /secret of line 7.*app\.test\.ts.*request failed/);
  });

  test('a state that its schema does not know is a bug', async () => {
    const store = fakeStore({ gateways: () => [{ ...fiber, admin: 'off' as 'enabled' }] });
    assert.equal((await get('/v1/gateways', store)).statusCode, 500);
  });
});
