// GET /v1/events: the stream of what happens.

import { z } from 'zod';
import type { EventFeed } from './events.ts';
import { type Api, errors } from './route.ts';
import { streamEvent } from './schemas.ts';

export function addEventRoute(api: Api, feed: EventFeed): void {
  api.get(
    '/v1/events',
    {
      schema: {
        operationId: 'events',
        summary: 'what happens, as server-sent events',
        description:
          'Last-Event-ID gets what came since; if that is no longer known, the event `missed` says: read the state anew.',
        produces: ['text/event-stream'],
        headers: z.object({ 'last-event-id': z.optional(z.string()) }),
        response: { 200: streamEvent, ...errors },
      },
    },
    (request, reply) => {
      feed.connect(reply.raw, request.headers['last-event-id']);
      reply.hijack();
    },
  );
}
