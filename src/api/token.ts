// The secret that scrapers of metrics show.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { UserError } from '../util/error.ts';

/** Reading and writing, by those who are neither owner nor of the group. */
const bitsOfOthers = 0o006;

/** A token that everybody on this machine knows, or can guess, is none. */
export function readToken(file: string): string {
  const { mode, text } = readWithMode(file);
  if ((mode & bitsOfOthers) !== 0)
    throw new UserError(`metrics token ${file}: everybody can read or change it; chmod o= ${file}`);
  const token = text.trim();
  if (token === '')
    throw new UserError(
      `metrics token ${file}: it is empty; write one: openssl rand -hex 32 > ${file}`,
    );
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UserError(`metrics token ${file}: a token is one word of visible ASCII characters`);
  return token;
}

/** The mode of the very file that is read. */
function readWithMode(file: string): { mode: number; text: string } {
  try {
    const descriptor = openSync(file, 'r');
    try {
      return { mode: fstatSync(descriptor).mode, text: readFileSync(descriptor, 'utf8') };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new UserError(`metrics token ${file}: ${(error as Error).message}`);
  }
}
