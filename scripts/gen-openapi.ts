// docs/openapi.json (on stdout): the document that the daemon's GET /v1/openapi.json answers.

import { createApi } from '../src/api/app.ts';
import type { Store } from '../src/api/store.ts';
import { readVersion } from '../src/util/version.ts';

/** The document comes from the routes alone: nobody asks the store for more than this. */
const store = { subscribe: () => () => {} } satisfies Partial<Store> as unknown as Store;

const app = createApi(store, { version: readVersion() });
await app.ready();
process.stdout.write(`${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
