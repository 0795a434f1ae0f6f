// One connection that asks the internet host again and again which address it sees.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

/** The server's ports: TCP answers each line with the client's address and the line, UDP with the address. */
export const steadyPort = { tcp: 77, udp: 7 } as const;

export interface Flow {
  /** The address that the server sees; rejects after a silence, or with what ended the connection. */
  ask(): Promise<string>;
  /** With what ended it, also where nothing was asked; UDP never ends. */
  ended: Promise<Error>;
  close(): void;
}

const resendMs = 500;

/** Bytes of a question, and a little more of its answer. */
const lineBytes = 200;

export async function openTcp(to: string, localAddress: string, timeoutMs: number): Promise<Flow> {
  const socket = createConnection({ host: to, port: steadyPort.tcp, localAddress, noDelay: true });
  socket.setEncoding('utf8');
  const reader = new AnswerReader(timeoutMs);
  socket.on('error', (error) => reader.end(error));
  socket.on('close', () => reader.end(new Error('the server ended the connection')));
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeoutMs);
  await once(socket, 'connect').finally(() => clearTimeout(timer));
  return tcpFlow(socket, reader);
}

function tcpFlow(socket: Socket, reader: AnswerReader): Flow {
  let text = '';
  let asked = 0;
  socket.on('data', (piece) => {
    text += String(piece);
    if (!text.endsWith('\n')) return;
    reader.answer(text.trimEnd());
    text = '';
  });
  const ask = async () => {
    const line = `${++asked} `.padEnd(lineBytes, '.');
    const answer = reader.next();
    socket.write(`${line}\n`);
    const [address, ...rest] = (await answer).split(' ');
    if (rest.join(' ') !== line) throw new Error('wrong bytes came back');
    return address!;
  };
  return { ask, ended: reader.ended, close: () => socket.destroy() };
}

export async function openUdp(to: string, from: string, timeoutMs: number): Promise<Flow> {
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  const reader = new AnswerReader(timeoutMs);
  // An ICMP error may come at any time, and ends nothing.
  socket.on('error', () => {});
  socket.bind(0, from);
  await once(socket, 'listening');
  socket.connect(steadyPort.udp, to);
  await once(socket, 'connect');
  socket.on('message', (message) => reader.answer(message.toString()));
  const ask = async () => {
    const answer = reader.next();
    const send = () => socket.send('steady', () => {});
    send();
    // A datagram may be lost, for instance when all connections ask at once.
    const again = setInterval(send, resendMs);
    return (await answer.finally(() => clearInterval(again))).split(' ')[0]!;
  };
  return { ask, ended: reader.ended, close: () => socket.close() };
}

/** One question at a time; an answer that nobody waits for any more is dropped. */
class AnswerReader {
  readonly #timeoutMs: number;
  #pending: PromiseWithResolvers<string> | undefined;
  #ended: Error | undefined;
  readonly #end = Promise.withResolvers<Error>();
  readonly ended = this.#end.promise;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  next(): Promise<string> {
    if (this.#ended) return Promise.reject(this.#ended);
    const pending = Promise.withResolvers<string>();
    this.#pending = pending;
    const silence = new Error(`silence for ${this.#timeoutMs / 1000} s`);
    const timer = setTimeout(() => pending.reject(silence), this.#timeoutMs);
    return pending.promise.finally(() => clearTimeout(timer));
  }

  answer(text: string): void {
    this.#pending?.resolve(text);
  }

  /** The first reason stays. */
  end(error: Error): void {
    this.#ended ??= error;
    this.#pending?.reject(this.#ended);
    this.#end.resolve(this.#ended);
  }
}
