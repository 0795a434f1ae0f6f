// One download, every byte compared with the pattern that the server sends.

import { get, type IncomingMessage } from 'node:http';
import { matchesPattern } from './pattern.ts';

export interface DownloadOptions {
  url: string;
  from: string;
  /** The longest silence. */
  timeoutMs: number;
}

export interface Download {
  bytes: number;
  /** All bytes came, and each is the right one. */
  ok: boolean;
  /** The client's address as the server saw it. */
  address: string;
  seconds: number;
  /** Why it is not ok. */
  error?: string;
}

export async function download({ url, from, timeoutMs }: DownloadOptions): Promise<Download> {
  const start = performance.now();
  const result: Download = { bytes: 0, ok: false, address: '', seconds: 0 };
  try {
    const response = await open(url, from, timeoutMs);
    result.address = String(response.headers['x-client-address'] ?? '');
    // Tells whoever started this program that the connection stands and bytes come.
    process.stderr.write(`downloading as ${result.address}\n`);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (!matchesPattern(chunk, result.bytes)) {
        throw new Error(`wrong bytes between ${result.bytes} and ${result.bytes + chunk.length}`);
      }
      result.bytes += chunk.length;
    }
    const want = Number(response.headers['content-length']);
    if (result.bytes !== want) throw new Error(`${want} bytes were promised`);
    result.ok = true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Node.js says no more than "aborted" of a body that ends early, whoever ended it.
    result.error =
      code === 'ECONNRESET' ? `connection lost or silent for ${timeoutMs / 1000} s` : message;
  }
  result.seconds = Math.round(performance.now() - start) / 1000;
  return result;
}

async function open(url: string, localAddress: string, timeout: number): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = get(url, { localAddress, agent: false, timeout }, (response) => {
    if (response.statusCode === 200) resolve(response);
    else request.destroy(new Error(`status ${response.statusCode}`));
  });
  // Covers the connection's start too, and later each silence of the body.
  request.on('timeout', () => request.destroy(new Error(`silence for ${timeout / 1000} s`)));
  request.on('error', reject);
  return promise;
}
