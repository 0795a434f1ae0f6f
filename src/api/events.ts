// Server-sent events: what happens, told to who listens, and once more to who comes back soon.
//
// Memory has bounds: the ring holds so many events and bytes, a client that does not read is let go
// when so much waits for it, and there are so many clients.

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { HttpError } from './errors.ts';
import type { DirectorEvent, Store } from './store.ts';

const ringEvents = 256;
const ringBytes = 256 * 1024;
/** More than the ring: a client that was away gets all of it in one go. */
const largestBacklog = 2 * ringBytes;
const mostClients = 32;
/** A client that was let go asks again after this time. */
const retryMs = 2000;

export class EventFeed {
  /** Another daemon's numbers mean nothing here. */
  readonly #life = randomUUID().slice(0, 8);
  /** Number of the newest event. */
  #newest = 0;
  /** The newest events as they are sent, without gaps. */
  #ring: string[] = [];
  #ringLength = 0;
  readonly #clients = new Set<ServerResponse>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(store: Pick<Store, 'subscribe'>, heartbeatMs: number) {
    this.#unsubscribe = store.subscribe((event) => this.#publish(event));
    // Tells both ends that the other is there; a line that begins with a colon means nothing.
    this.#heartbeat = setInterval(() => this.#sendAll(': heartbeat\n\n'), heartbeatMs).unref();
  }

  /** lastId: of the newest event that the client knows, if it was here before. */
  connect(response: ServerResponse, lastId: string | undefined): void {
    if (this.#clients.size >= mostClients)
      throw new HttpError(503, `${mostClients} clients listen already; try again later`);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
    response.write(`retry: ${retryMs}\n\n`);
    if (lastId !== undefined) response.write(this.#since(lastId));
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.end();
  }

  #publish(event: DirectorEvent): void {
    this.#newest++;
    const text = this.#format(event.type, event);
    this.#ring.push(text);
    this.#ringLength += text.length;
    while (this.#ring.length > ringEvents || this.#ringLength > ringBytes)
      this.#ringLength -= this.#ring.shift()?.length ?? 0;
    this.#sendAll(text);
  }

  #format(type: string, data: object): string {
    return `id: ${this.#life}-${this.#newest}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** What came after that event; `missed` if not all of it is there any more. */
  #since(lastId: string): string {
    const [life, number] = lastId.split('-');
    const missing = life === this.#life ? this.#newest - Number(number) : Number.NaN;
    if (missing >= 0 && missing <= this.#ring.length)
      return this.#ring.slice(this.#ring.length - missing).join('');
    return this.#format('missed', { type: 'missed' });
  }

  #sendAll(text: string): void {
    for (const client of this.#clients) {
      client.write(text);
      if (client.writableLength <= largestBacklog) continue;
      // Now, not when its end is told: the next event may come before that.
      this.#clients.delete(client);
      client.destroy();
    }
  }
}
