// The routes that only look.

import { z } from 'zod';
import { parsePrefix } from '../model/connection-filter.ts';
import { parseProtocol } from '../model/protocol.ts';
import { config } from './config-schema.ts';
import { HttpError } from './errors.ts';
import { formatMetrics, metricsContentType } from './metrics.ts';
import { type Api, byName, errors, findGateways } from './route.ts';
import * as schemas from './schemas.ts';
import { gatewayState } from './schemas-gateway.ts';
import type { Store } from './store.ts';

const prefix = z.string().refine((text) => parsePrefix(text) !== undefined, {
  error: ({ input }) => `"${input}" is neither an address nor a prefix such as 10.0.0.0/24`,
});

const protocol = z.string().transform((text, context) => {
  const number = parseProtocol(text);
  if (number !== undefined) return number;
  const message = `"${text}" is neither a number from 0 to 255 nor tcp, udp, icmp, … or template`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const families = { ipv4: 4, ipv6: 6 } as const;

const connectionQuery = z.strictObject({
  client: z.optional(prefix).describe('address or prefix'),
  server: z.optional(prefix).describe('address or prefix'),
  gateway: z.optional(z.string()).describe('name, or address of one without a name'),
  family: z.optional(z.enum(['ipv4', 'ipv6']).transform((name) => families[name])),
  service: z.optional(z.string()).describe('name or fwmark'),
  protocol: z.optional(protocol).describe('number, tcp, udp, icmp, … or template'),
  port: z.optional(z.coerce.number().int().min(0).max(65535)).describe('of either end'),
  state: z.optional(z.string()),
  after: z.optional(z.string()).describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export function addReaders(api: Api, store: Store, version: string): void {
  addLists(api, store);
  addSingles(api, store);
  addConnections(api, store);
  addMetrics(api, store, version);
}

function addLists(api: Api, store: Store): void {
  const list = <S extends z.ZodType>(summary: string, operationId: string, schema: S) => ({
    schema: { summary, operationId, response: { 200: schema, ...errors } },
  });
  const { statusState, daemonState, serviceState, ruleState } = schemas;
  api.get('/v1/status', list('the director as a whole', 'status', statusState), () =>
    store.status(),
  );
  api.get('/v1/daemon', list('the daemon itself', 'daemon', daemonState), () => store.daemon());
  api.get('/v1/gateways', list('all gateways', 'gateways', z.array(gatewayState)), () =>
    store.gateways(),
  );
  api.get('/v1/services', list('all services', 'services', z.array(serviceState)), () =>
    store.services(),
  );
  api.get('/v1/rules', list('all rules, in their order', 'rules', z.array(ruleState)), () =>
    store.rules(),
  );
  api.get('/v1/config', list('the applied configuration', 'config', config), () => {
    const applied = store.config();
    if (!applied) throw new HttpError(404, 'no configuration is applied; POST /v1/apply');
    return applied;
  });
  const document = z.record(z.string(), z.unknown());
  api.get('/v1/openapi.json', list('this document', 'openapi', document), () => ({
    ...api.swagger(),
  }));
}

function addSingles(api: Api, store: Store): void {
  const one = <S extends z.ZodType>(summary: string, operationId: string, schema: S) => ({
    schema: { summary, operationId, params: byName, response: { 200: schema, ...errors } },
  });
  api.get(
    '/v1/gateways/:name',
    one('a gateway by name or address, once a family', 'gateway', z.array(gatewayState)),
    ({ params }) => findGateways(store, params.name),
  );
  api.get(
    '/v1/services/:name',
    one('a service by name or fwmark, once a family', 'service', z.array(schemas.serviceState)),
    ({ params: { name } }) => {
      const services = store.services();
      const found = services.filter((each) => each.name === name || String(each.fwmark) === name);
      if (found.length > 0) return found;
      throw new HttpError(404, `there is no service "${name}"; GET /v1/services lists them`);
    },
  );
}

function addConnections(api: Api, store: Store): void {
  api.get(
    '/v1/connections',
    {
      schema: {
        operationId: 'connections',
        summary: 'connections and persistence templates, filtered, a page at a time',
        querystring: connectionQuery,
        response: { 200: schemas.connectionPage, ...errors },
      },
    },
    ({ query: { after, limit, ...filter } }) => store.connections(filter, { after, limit }),
  );
}

function addMetrics(api: Api, store: Store, version: string): void {
  api.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'metrics for Prometheus',
        produces: ['text/plain'],
        response: { 200: z.string(), ...errors },
      },
    },
    async (_, reply) => {
      const text = await formatMetrics(store, version);
      return reply.type(metricsContentType).send(text);
    },
  );
}
