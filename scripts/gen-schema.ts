// Prints the JSON Schema of the configuration file; `make generate` writes it to docs/lvsj.schema.json.

import { formatJsonSchema } from '../src/config/json-schema.ts';

process.stdout.write(formatJsonSchema());
