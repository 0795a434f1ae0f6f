// Connections that are held: src/lab/client-hold.ts on a host of a lab.

import type { Counts } from '../../src/lab/client-connect.ts';
import type { HoldReport, Trouble } from '../../src/lab/client-hold.ts';
import { clientProgram } from '../../src/lab/lab.ts';
import type { Family } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { type DirectorLab, serverAddress } from './director-lab.ts';
import { LineProgram } from './lines.ts';

export class Hold {
  readonly #program: LineProgram;

  /** words: `--count 8 --idle` and the like. */
  constructor(
    lab: DirectorLab,
    family: Family,
    words: string,
    { host = 'lan', from = lab.clients(family).slice(0, 4) } = {},
  ) {
    const sources = from.flatMap((address) => ['--from', address]);
    const argv = [...clientProgram, 'hold', '--to', serverAddress[family], ...words.split(' ')];
    this.#program = new LineProgram(lab, host, [...argv, ...sources]);
  }

  /** Makes them; by the address that the server sees. */
  make(): Promise<Counts> {
    return this.#program.ask('make');
  }

  /** What they noticed, once so many connections had trouble and all are answered again. */
  async troubles(count: number): Promise<Trouble[]> {
    let found: Trouble[] = [];
    await waitUntil(`${count} connections that broke`, async () => {
      found = (await this.#program.ask<HoldReport>('report')).troubles;
      return found.length >= count && found.every(({ answered }) => answered !== null);
    });
    return found;
  }

  end(): void {
    this.#program.end();
  }
}
