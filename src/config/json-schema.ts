// The form of the file as a JSON Schema, for editors: docs/lvsj.schema.json.

import * as z from 'zod';
import { file } from './schema.ts';

/** With a line break at the end, as `make generate` writes it. */
export function formatJsonSchema(): string {
  const schema = z.toJSONSchema(file, { io: 'input' });
  const head = {
    title: 'lvsj.yaml',
    description: 'Configuration of lvs-j. Made by `make generate` from src/config/schema.ts.',
  };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}
