// The version of this lvsj.

import { readFileSync } from 'node:fs';

const manifest = new URL('../../package.json', import.meta.url);

export const readVersion = (): string =>
  (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
