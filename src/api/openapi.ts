// How the OpenAPI document is made of the routes' schemas.

import type { SwaggerOptions, SwaggerTransform, SwaggerTransformObject } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Of a body that is a configuration's text and nothing else. */
export const yamlTypes = ['text/yaml', 'application/yaml'];

const jsonType = 'application/json';

/** By status; of others the route's summary says what is answered. */
const statusMeanings: Record<string, string> = {
  204: 'done',
  '4xx': 'refused; nothing was changed',
  '5xx': 'not possible now, or a bug',
};

/** A route that takes YAML has two bodies: the text itself, or JSON with the text in it. */
function describeBody({ consumes = [jsonType], body }: FastifySchema): object | undefined {
  if (body === undefined) return undefined;
  const content = consumes.map((type) => [
    type,
    { schema: yamlTypes.includes(type) ? { type: 'string' } : body },
  ]);
  return { content: Object.fromEntries(content) };
}

/** Errors are JSON, whatever else a route answers. */
function describeResponses({ summary, produces, response }: FastifySchema): object {
  const responses = Object.entries(response ?? {}).map(([status, schema]) => {
    const type = status === '200' ? (produces?.[0] ?? jsonType) : jsonType;
    const content = status === '204' ? { type: 'null' } : { content: { [type]: { schema } } };
    return [status, { description: statusMeanings[status] ?? summary, ...content }];
  });
  return Object.fromEntries(responses);
}

const transform: SwaggerTransform = (document) => {
  const { schema, url } = jsonSchemaTransform(document);
  const { body: _, ...rest } = schema;
  const body = describeBody(schema);
  return { schema: { ...rest, ...(body && { body }), response: describeResponses(schema) }, url };
};

/** No request has a body with a name, so that the input twin of each schema is nobody's. */
const transformObject: SwaggerTransformObject = (document) => {
  const made = jsonSchemaTransformObject(document) as { components: { schemas: object } };
  const used = Object.entries(made.components.schemas).filter(([name]) => !name.endsWith('Input'));
  return { ...made, components: { schemas: Object.fromEntries(used) } };
};

export const openapiOptions = (version: string): SwaggerOptions => ({
  openapi: {
    // The first whose schemas are JSON Schema: null is a type there.
    openapi: '3.1.0',
    info: {
      title: 'lvsj',
      version,
      description: 'The director of one network namespace, over its unix socket: docs/api.md',
      license: { name: 'MIT' },
    },
    servers: [{ url: 'http://localhost', description: 'over /run/lvsj/lvsj.sock' }],
  },
  transform,
  transformObject,
});
