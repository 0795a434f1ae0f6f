// All clients of a lab: new connections, a UDP stream, idle and busy TCP connections.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Counts } from '../../src/lab/client-connect.ts';
import type { Answer } from '../../src/lab/client-datagrams.ts';
import type { HoldReport, Trouble } from '../../src/lab/client-hold.ts';
import type { Request } from '../../src/lab/client-requests.ts';
import { clientProgram, inHost } from '../../src/lab/lab.ts';
import { internet, type Lab } from '../../src/lab/topology.ts';
import { waitUntil } from '../../src/util/wait-until.ts';

export interface CrowdSize {
  /** New connections a second. */
  perSecond: number;
  idle: number;
  busy: number;
}

const datagramsPerSecond = 100;
const busyIntervalS = 0.25;
/** By definition: a new connection that takes longer has failed. */
const deadlineS = 1;
/** Programs start, and the slowest of them has the machine beside all others. */
const startMs = 20_000;
const [to] = internet.ipv4;

export class Crowd {
  requests: Request[] = [];
  answers: Answer[] = [];
  readonly #clients: Client[];
  readonly #idle: Client;
  readonly #busy: Client;

  constructor(lab: Lab, ask: 'http' | 'dns', { perSecond, idle, busy }: CrowdSize) {
    const from = lab.clients.ipv4.flatMap((address) => ['--from', address]);
    const what = ask === 'http' ? `--url http://${to}/` : `--dns ${internet.ipv4[1]}`;
    const requests = `requests ${what} --rate ${perSecond} --timeout ${deadlineS}`;
    const datagrams = `datagrams --to ${to} --rate ${datagramsPerSecond} --from ${lab.clients.ipv4[0]}`;
    const start = (words: string, take?: (line: never) => void) =>
      new Client(lab, [...words.split(' '), ...from], take);
    this.#idle = start(`hold --to ${to} --count ${idle} --idle`);
    this.#busy = start(`hold --to ${to} --count ${busy} --interval ${busyIntervalS}`);
    this.#clients = [
      this.#idle,
      this.#busy,
      start(requests, (request: Request) => this.requests.push(request)),
      start(datagrams, (answer: Answer) => this.answers.push(answer)),
    ];
  }

  /** Comes back when all of them work. */
  async ready(): Promise<void> {
    await this.makeAll();
    const there = () => this.answers.length > 0 && this.requests.some(({ error }) => error === '');
    await waitUntil('answers to the clients', there, startMs);
  }

  /** Where the UDP stream goes now: the address under which it is seen. */
  get streamSeen(): string {
    return this.answers.at(-1)?.seen ?? '';
  }

  /** What was noticed until now does not matter any more. */
  forget(): void {
    this.requests = [];
    this.answers = this.answers.slice(-1);
  }

  /** The held connections anew; by the address that the server sees. */
  async makeAll(): Promise<Counts[]> {
    return Promise.all([this.#idle.ask('make'), this.#busy.ask('make')]) as Promise<Counts[]>;
  }

  /** Those that are idle say something. */
  wakeIdle(): void {
    this.#idle.tell('ask');
  }

  async report(): Promise<{ waiting: number; troubles: Trouble[] }> {
    const clients = [this.#idle, this.#busy];
    const reports = (await Promise.all(
      clients.map((client) => client.ask('report')),
    )) as HoldReport[];
    return {
      waiting: reports.reduce((sum, { waiting }) => sum + waiting, 0),
      troubles: reports.flatMap(({ troubles }) => troubles),
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}

/** A client program whose lines are read; one that obeys answers in order. */
class Client {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #asked: ((line: unknown) => void)[] = [];

  constructor(lab: Lab, words: string[], take?: (line: never) => void) {
    const [command, ...args] = inHost(lab.name, 'lan', [...clientProgram, ...words]);
    const child = spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#ended = once(child, 'exit');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const value = JSON.parse(line);
      if (take) take(value as never);
      else this.#asked.shift()?.(value);
    });
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async ask(line: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#asked.push(resolve);
    const fail = (why: string) => reject(new Error(`clients did not "${line}": ${why}`));
    void this.#ended.then(() => fail('the program ended'));
    const timer = setTimeout(() => fail(`no answer in ${startMs / 1000} s`), startMs);
    this.tell(line);
    return promise.finally(() => clearTimeout(timer));
  }

  async end(): Promise<void> {
    this.#child.kill();
    await this.#ended;
  }
}
