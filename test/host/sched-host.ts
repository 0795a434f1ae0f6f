// build/test/sched_host as a child process: one command a line, one number back.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../../src/util/run.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'build/test/sched_host');
const source = join(root, 'test/host/sched_host.c');

/** A callback of bpf_loop has two parameters whether it needs them or not. */
const flags =
  '-std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -Werror -fsanitize=address,undefined -fno-sanitize-recover=all';

const modifiedAt = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newestSource(): number {
  const paths = ['bpf', 'test/host'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => join(root, folder, name)),
  );
  return Math.max(...paths.map(modifiedAt));
}

/** Several test files may do this at once: each renames its own. */
function compileIfStale(): void {
  if (modifiedAt(program) > newestSource()) return;
  const fresh = `${program}.${process.pid}`;
  mkdirSync(join(root, 'build/test'), { recursive: true });
  run(['gcc', ...flags.split(' '), '-o', fresh, source]);
  renameSync(fresh, program);
}

export class SchedHost {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    compileIfStale();
    // The sanitizers' reports go to stderr.
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(...command: (string | number)[]): Promise<number> {
    const line = command.join(' ');
    this.#child.stdin!.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`sched_host ended at "${line}"`);
    return Number(value);
  }

  /** Its end is awaited: the sanitizers look for leaks then. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const status = await new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.stdin!.end();
    });
    if (status !== 0) throw new Error(`sched_host ended with status ${status}`);
  }
}
