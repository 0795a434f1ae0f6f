// lvsj run in a lab, as systemd would start it: its log is read, its file is edited.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { inHost } from '../../src/lab/lab.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import type { ConfigLab } from './config-lab.ts';
import { lvsjProgram } from './director-lab.ts';

interface LogLine {
  level: string;
  msg: string;
  generation?: number;
  changes?: number;
  tookMs?: number;
}

export class Daemon {
  readonly #lab: ConfigLab;
  #child: ChildProcess | undefined;

  constructor(lab: ConfigLab) {
    this.#lab = lab;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get #logFile(): string {
    return `${this.#lab.folder}/run.log`;
  }

  /** Writes the file and starts it; comes back when that is applied. */
  async start(config: string): Promise<void> {
    this.#lab.write(config);
    const log = openSync(this.#logFile, 'a');
    const argv = [lvsjProgram, 'run', '--config', this.#lab.file];
    const [command, ...args] = inHost(this.#lab.name, 'director', argv);
    this.#child = spawn(command as string, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await this.until('the first configuration', () => this.applied().length > 0, 20_000);
  }

  /** Lines that say that a configuration was applied, since the start or since forget(). */
  applied(): LogLine[] {
    return this.log().filter(
      ({ msg, generation }) => msg === 'applied' && generation !== undefined,
    );
  }

  log(): LogLine[] {
    if (!existsSync(this.#logFile)) return [];
    const lines = readFileSync(this.#logFile, 'utf8').split('\n');
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  }

  /** Edits the file; comes back when that is applied, with what the daemon says of it. */
  async edit(config: string): Promise<LogLine> {
    const before = this.applied().length;
    this.#lab.write(config);
    await this.until('an applied configuration', () => this.applied().length > before);
    return this.applied().at(-1)!;
  }

  /** Waits for something that the daemon does; tells its log if it does not. */
  async until(what: string, condition: () => boolean, deadlineMs = 10_000): Promise<void> {
    const ended = () => this.#child?.exitCode !== null || this.#child?.signalCode !== null;
    await waitUntil(what, () => condition() || ended(), deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${readFileSync(this.#logFile, 'utf8')}`);
    });
    if (!condition()) throw new Error(`lvsj run ended:\n${readFileSync(this.#logFile, 'utf8')}`);
  }

  /** Ends it, by SIGTERM if not said otherwise. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
