// Long outputs: printed while they are made, no faster than the reader takes them.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Characters that are written at once. */
const chunkLength = 65_536;

function* chunks(lines: Iterable<string>): Generator<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/** A reader that has seen enough (`| head`) ends it. */
export async function printStream(lines: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(chunks(lines)), process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** An array with an item on each line. */
export function* formatJsonArray(items: Iterable<unknown>): Generator<string> {
  let before: string | undefined;
  for (const item of items) {
    yield before === undefined ? '[' : `${before},`;
    before = JSON.stringify(item);
  }
  if (before === undefined) yield '[]';
  else yield* [before, ']'];
}
