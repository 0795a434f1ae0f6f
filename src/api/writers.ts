// The routes that change something: plan (which only says what would change), apply, confirm, reload, a gateway's state.

import { z } from 'zod';
import { HttpError, refusedConfig } from './errors.ts';
import { yamlTypes } from './openapi.ts';
import { type Api, byName, errors, findGateways } from './route.ts';
import { planned } from './schemas.ts';
import { adminState, gatewayState } from './schemas-gateway.ts';
import type { Planned, Store } from './store.ts';

/** What problems call a text that came without a name. */
const unnamed = 'request';
const longestConfirmSeconds = 24 * 3600;

const planBody = z.strictObject({ text: z.string(), file: z.optional(z.string()) });
const applyBody = z.strictObject({
  ...planBody.shape,
  confirmSeconds: z.optional(z.nullable(z.number().int().min(1).max(longestConfirmSeconds))),
});
/** With text/yaml, whose body is the text alone. */
const planQuery = z.strictObject({ file: z.optional(z.string()) });
const applyQuery = z.strictObject({
  ...planQuery.shape,
  confirmSeconds: z.optional(z.coerce.number().int().min(1).max(longestConfirmSeconds)),
});

function answer(result: Planned): z.output<typeof planned> {
  if ('problems' in result) throw refusedConfig(result.problems);
  return result;
}

export function addWriters(api: Api, store: Store): void {
  api.addContentTypeParser<string>(yamlTypes, { parseAs: 'string' }, (_, text, done) =>
    done(null, { text }),
  );
  addPlanAndApply(api, store);
  addConfirmAndReload(api, store);
  addAdmin(api, store);
}

function addPlanAndApply(api: Api, store: Store): void {
  const consumes = ['application/json', ...yamlTypes];
  const response = { 200: planned, ...errors };
  api.post(
    '/v1/plan',
    {
      schema: {
        operationId: 'plan',
        summary: 'what applying a configuration would change',
        consumes,
        body: planBody,
        querystring: planQuery,
        response,
      },
    },
    async ({ body, query }) => {
      const { text, file = unnamed } = { ...query, ...body };
      return answer(await store.plan(text, file));
    },
  );
  api.post(
    '/v1/apply',
    {
      schema: {
        operationId: 'apply',
        summary: 'apply a configuration',
        description:
          'With confirmSeconds, what was comes back unless POST /v1/confirm comes in time.',
        consumes,
        body: applyBody,
        querystring: applyQuery,
        response,
      },
    },
    async ({ body, query }) => {
      const { text, file = unnamed, confirmSeconds = null } = { ...query, ...body };
      return answer(await store.apply(text, file, confirmSeconds));
    },
  );
}

function addConfirmAndReload(api: Api, store: Store): void {
  const schema = { operationId: 'confirm', summary: 'keep what was applied with confirmSeconds' };
  api.post(
    '/v1/confirm',
    { schema: { ...schema, response: { 204: z.undefined(), ...errors } } },
    async (_, reply) => {
      await store.confirm();
      return reply.code(204).send();
    },
  );
  api.post(
    '/v1/reload',
    {
      schema: {
        operationId: 'reload',
        summary: "apply the daemon's own file again",
        response: { 200: planned, ...errors },
      },
    },
    async () => answer(await store.reload()),
  );
}

function addAdmin(api: Api, store: Store): void {
  api.patch(
    '/v1/gateways/:name',
    {
      schema: {
        operationId: 'setGateway',
        summary: 'enable, drain or disable a gateway',
        params: byName,
        body: z.strictObject({ admin: adminState }),
        response: { 200: z.array(gatewayState), ...errors },
      },
    },
    async ({ params, body }) => {
      const name = findGateways(store, params.name)[0]?.name ?? '';
      if (name === '')
        throw new HttpError(
          409,
          `gateway ${params.name} is not of the configuration; lvsj ipvsadm -e … -w 0 drains it`,
        );
      await store.setAdmin(name, body.admin);
      return findGateways(store, name);
    },
  );
}
