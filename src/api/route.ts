// What all routes share.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { GatewayState } from '../model/state.ts';
import { HttpError } from './errors.ts';
import { apiError } from './schemas.ts';
import type { Store } from './store.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The answers of every route that refuses. */
export const errors = { '4xx': apiError, '5xx': apiError };

export const byName = z.object({ name: z.string() });

/** A gateway of both families is there twice, under one name. */
export function findGateways(store: Store, name: string): GatewayState[] {
  const found = store.gateways().filter((each) => each.name === name || each.address === name);
  if (found.length === 0)
    throw new HttpError(404, `there is no gateway "${name}"; GET /v1/gateways lists them`);
  return found;
}
