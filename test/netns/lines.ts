// A program on a host of a lab that obeys lines and answers each with one.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inHost } from '../../src/lab/lab.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import type { DirectorLab } from './director-lab.ts';

export class LineProgram {
  readonly #child: ChildProcess;
  readonly #answers: string[] = [];
  /** The newest question: the next one waits for its answer. */
  #asked: Promise<unknown> = Promise.resolve();

  constructor({ name }: DirectorLab, host: string, argv: string[]) {
    const [command, ...args] = inHost(name, host, argv);
    this.#child = spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#answers.push(line));
  }

  /** The answer is JSON. */
  ask<T>(line: string): Promise<T> {
    const answer = this.#asked.then(() => this.#ask<T>(line));
    this.#asked = answer.catch(() => {});
    return answer;
  }

  async #ask<T>(line: string): Promise<T> {
    const { length } = this.#answers;
    this.#child.stdin!.write(`${line}\n`);
    await waitUntil(`an answer to ${line}`, () => this.#answers.length > length, 10_000);
    return JSON.parse(this.#answers.at(-1)!) as T;
  }

  end(): void {
    this.#child.kill();
  }
}
