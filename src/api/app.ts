// The daemon's HTTP API as a value: given a store it answers requests; who listens is src/api/listen.ts.

import fastifySwagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { answerError, answerNotFound } from './errors.ts';
import { addEventRoute } from './event-route.ts';
import { EventFeed } from './events.ts';
import { openapiOptions } from './openapi.ts';
import { addReaders } from './readers.ts';
import type { Store } from './store.ts';
import { addWriters } from './writers.ts';

/** Thousands of rules, and sets of prefixes beside them. */
const bodyLimit = 16 * 1024 * 1024;
const defaultHeartbeatMs = 15_000;
/** What answers on their way have left when the API closes. */
const closingMs = 1000;

export interface ApiOptions {
  /** Of lvsj. */
  version: string;
  /** Gets what goes wrong; without one nobody does. */
  logger?: FastifyBaseLogger;
  heartbeatMs?: number;
}

/** Ready to be asked after `await app.ready()`. */
export function createApi(store: Store, options: ApiOptions): FastifyInstance {
  const { version, logger, heartbeatMs = defaultHeartbeatMs } = options;
  const app = fastify({
    bodyLimit,
    exposeHeadRoutes: false,
    frameworkErrors: answerError,
    logController: new LogController({ disableRequestLogging: true }),
    ...(logger && { loggerInstance: logger }),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);
  app.register(fastifySwagger, openapiOptions(version));
  const feed = new EventFeed(store, heartbeatMs);
  // The server waits for its connections to end: streams would not, nor who never finishes a request.
  app.addHook('preClose', async () => {
    feed.close();
    setTimeout(() => app.server.closeAllConnections(), closingMs).unref();
  });
  // In a plugin of their own: swagger sees only routes that come after it.
  app.register(async (scope) => {
    const api = scope.withTypeProvider<ZodTypeProvider>();
    addReaders(api, store, version);
    addWriters(api, store);
    addEventRoute(api, feed);
  });
  return app;
}
