// One run of the demo: the commands it runs on the lab's hosts, what a person reads of it, and the
// figures, each with what it should be.

import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../util/error.ts';
import type { RunResult } from '../util/run.ts';
import { waitUntil } from '../util/wait-until.ts';
import { inHost } from './lab.ts';
import type { Lab } from './topology.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** So that the commands stand in the text as a person would type them: `lvsj`, `node`, `nft`. */
const path = [checkout, `${checkout}/node_modules/.bin`, process.env.PATH, '/usr/sbin', '/sbin'];
const environment = { ...process.env, PATH: path.join(delimiter) };

/** Of a condition of the demo: long enough for a machine that is busy with other things. */
const patienceMs = 15_000;

/** A command that runs beside the others. */
export interface Background {
  /** Its stdout up to now. */
  said: () => string;
  complained: () => string;
  running: () => boolean;
  result: Promise<RunResult>;
  stop: () => Promise<void>;
}

export class Stage {
  readonly lab: Lab;
  /** Aborts everything: the person who watches has seen enough. */
  readonly signal: AbortSignal;
  /** How long the commands took that have `lvsj` at their front. */
  readonly #tookMs: number[] = [];
  figures = 0;
  readonly failed: string[] = [];

  constructor(lab: Lab, signal: AbortSignal) {
    this.lab = lab;
    this.signal = signal;
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  part(number: number, title: string): void {
    this.say(`\n=== ${number}. ${title}\n`);
  }

  /** Runs a shell's command and shows it with its output, of which no more than `most` lines. */
  async on(host: string, command: string, most = Number.POSITIVE_INFINITY): Promise<string> {
    this.say(`${host}# ${command}`);
    const output = await this.quietly(host, command);
    const lines = output.split('\n').slice(0, -1);
    for (const line of lines.slice(0, most)) this.say(line);
    if (lines.length > most) this.say(`… ${lines.length - most} more lines`);
    return output;
  }

  /** The same, not shown. */
  async quietly(host: string, command: string): Promise<string> {
    const { status, stdout, stderr } = await this.tryQuietly(host, command);
    if (status === 0) return stdout;
    throw new UserError(`"${command}" on ${host} ended with status ${status}: ${stderr.trim()}`);
  }

  /** The same, and may fail. */
  async tryQuietly(host: string, command: string): Promise<RunResult> {
    const start = performance.now();
    const result = await this.#spawn(host, command).result;
    if (command.startsWith('lvsj ')) this.#tookMs.push(performance.now() - start);
    return result;
  }

  /** How long one command takes on this machine as it is today: the median. */
  usualMs(): number {
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  /** Starts a command that goes on while others run. */
  start(host: string, command: string): Background {
    this.say(`${host}# ${command} &`);
    return this.#spawn(host, command);
  }

  /** One of the figures: what was measured, and what it must be. */
  check(what: string, measured: unknown, want: unknown): void {
    const ok = isDeepStrictEqual(measured, want);
    this.judge(what, ok ? format(measured) : `${format(measured)}, not ${format(want)}`, ok);
  }

  /** One whose value is judged elsewhere. */
  judge(what: string, measured: string, ok: boolean): void {
    this.figures++;
    const line = `${what}: ${measured}`;
    if (!ok) this.failed.push(line);
    this.say(`  ${ok ? 'ok    ' : 'FAILED'}  ${line}`);
  }

  /** Waits for something that the next step needs. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const asked = (): boolean | Promise<boolean> => {
      this.signal.throwIfAborted();
      return condition();
    };
    await waitUntil(what, asked, patienceMs);
  }

  #spawn(host: string, command: string): Background {
    this.signal.throwIfAborted();
    const [program, ...args] = inHost(this.lab.name, host, ['sh', '-c', command]);
    const child = spawn(program!, args, {
      cwd: checkout,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group, to end the shell together with what it started.
      detached: true,
    });
    return watch(child, this.signal);
  }
}

function watch(child: ChildProcess, signal: AbortSignal): Background {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (data: string) => {
      text[name] += data;
    });
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
  };
  const abort = (): void => {
    end();
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort);
  child.on('error', reject);
  // Not `exit`: the last of its output may come later.
  child.on('close', (code) => {
    signal.removeEventListener('abort', abort);
    resolve({ status: code ?? 128, ...text });
  });
  // One that nobody waits for any more must not end the demo before it has cleaned up.
  promise.catch(() => {});
  return {
    said: () => text.stdout,
    complained: () => text.stderr,
    running: () => child.exitCode === null && child.signalCode === null,
    result: promise,
    stop: async () => {
      end();
      await promise;
    },
  };
}

/** Figures by name as people write them. */
export function format(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(format).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([name, inner]) => `${name} ${format(inner)}`);
  return entries.length === 0 ? 'none' : entries.join(', ');
}
