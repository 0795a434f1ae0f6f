// gateway-control.ts in a lab's director: what a daemon would do of gateways that are down.

import type { Family } from '../../src/model/table.ts';
import type { ConfigLab } from './config-lab.ts';
import { LineProgram } from './lines.ts';

interface GatewayEntry {
  name: string;
  family: Family;
  id: number;
}

export class GatewayControl {
  readonly #lab: ConfigLab;
  #program: LineProgram | undefined;

  constructor(lab: ConfigLab) {
    this.#lab = lab;
  }

  /** When it began, by clockMs(). */
  tell(...words: (string | number)[]): Promise<number> {
    const program = `${import.meta.dirname}/gateway-control.ts`;
    this.#program ??= new LineProgram(this.#lab, 'director', [process.execPath, program]);
    return this.#program.ask(words.join(' '));
  }

  /** The id of a gateway of the configuration. */
  idOf(family: Family, name: string): number {
    const list = JSON.parse(this.#lab.lvsj('gateway --json')) as GatewayEntry[];
    const found = list.find((each) => each.name === name && each.family === family);
    return found!.id;
  }

  down(family: Family, name = 'fiber'): Promise<number> {
    return this.tell('down', this.idOf(family, name));
  }

  end(): void {
    this.#program?.end();
  }
}
