// The OpenAPI document: that it is what the repository shows, lists every route, and fits the answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import { fakeStore, status } from '../../test/fake-store.ts';
import type { StatusState } from '../model/state.ts';
import { readVersion } from '../util/version.ts';
import { createApi } from './app.ts';
import { schemaOf } from './schema-of.ts';
import { statusState } from './schemas.ts';

const root = join(import.meta.dirname, '..', '..');

interface Operation {
  operationId: string;
  summary: string;
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const routes: RouteOptions[] = [];
const app = createApi(fakeStore({ confirm: async () => {} }), { version: readVersion() });
app.addHook('onRoute', (route) => {
  routes.push(route);
});
const document = (await app.inject('/v1/openapi.json')).json() as Document;

describe('the OpenAPI document', () => {
  test('is the one in docs: else run make generate', () => {
    const stored = readFileSync(join(root, 'docs/openapi.json'), 'utf8');
    assert.equal(`${JSON.stringify(document, null, 2)}\n`, stored);
  });

  test('lists every route and no other', () => {
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const added = routes.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/, '{$1}')}`);
    assert.ok(added.length >= 15);
    assert.deepEqual(listed.sort(), added.sort());
  });

  test('has a name of its own and a summary for each route', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const names = new Set(operations.map(({ operationId }) => operationId));
    assert.equal(names.size, operations.length);
    assert.ok(operations.every(({ summary }) => summary.length > 5));
  });

  test('points only to schemas that it has, and has none that nobody points to', () => {
    const text = JSON.stringify(document);
    const refs = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(refs)].sort(), Object.keys(document.components.schemas).sort());
  });
});

/** Of a JSON answer: made of the document alone, which allows no field beside those that it has. */
const schemaFor = (operation: Operation, status: number): z.ZodType | undefined => {
  const content = operation.responses[String(status)]?.content?.['application/json'];
  if (!content) return undefined;
  const text = JSON.stringify({ ...content.schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
};

describe('what the document says is what is answered by', () => {
  const bodies: Record<string, object> = {
    plan: { text: '' },
    apply: { text: '' },
    setGateway: { admin: 'drained' },
  };
  const names: Record<string, string> = { gateway: 'fiber', setGateway: 'fiber', service: 'web' };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  for (const { path, method, operation } of operations) {
    const { operationId } = operation;
    // It never ends; events.test.ts reads it.
    if (operationId === 'events') continue;
    test(`${method.toUpperCase()} ${path}`, async () => {
      const url = path.replace('{name}', names[operationId] ?? '');
      const payload = bodies[operationId];
      const response = await app.inject({
        method: method as 'GET',
        url,
        ...(payload && { payload }),
      });
      assert.ok(operation.responses[String(response.statusCode)], `${response.statusCode}`);
      const type = response.headers['content-type']?.toString().split(';')[0];
      const types = Object.keys(operation.responses[String(response.statusCode)]?.content ?? {});
      assert.deepEqual(types, type === undefined ? [] : [type]);
      schemaFor(operation, response.statusCode)?.parse(response.json());
    });
  }
});

describe('a schema', () => {
  test('that lacks a field of its type, or has one too many, does not compile', () => {
    const { daemon: _, ...fewer } = statusState.shape;
    // @ts-expect-error one field too few
    schemaOf<StatusState>()(z.object(fewer));
    // @ts-expect-error one field too many
    schemaOf<StatusState>()(z.object({ ...statusState.shape, more: z.string() }));
    // @ts-expect-error a field of another type
    schemaOf<StatusState>()(z.object({ ...statusState.shape, markMask: z.number() }));
    assert.deepEqual(schemaOf<StatusState>()(statusState).parse(status), status);
  });
});
