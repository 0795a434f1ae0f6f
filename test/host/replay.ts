// Replays a recording of IPVS: a small model of its table around our schedulers. Whatever they
// answer, the table goes on as the recording did, so that one wrong choice stays one.

import type { Client, GatewaySettings } from '../cases/case.ts';
import {
  type After,
  type Command,
  type Op,
  type Open,
  parseCommand,
  type Recording,
} from '../golden/recording.ts';
import { nextOverloaded } from './model-director.ts';
import type { Scheduling } from './scheduling.ts';

export interface Decision {
  conn: number;
  /** Drained: a template of a gateway with weight 0, which lvs-j does not follow by default. */
  by: 'scheduler' | 'template' | 'drained template';
  /** Addresses; null = none. */
  want: string | null;
  have: string | null;
}

interface Gateway {
  slot: number;
  settings: GatewaySettings;
  total: number;
  overloaded: boolean;
}

export class Replay {
  readonly decisions: Decision[] = [];
  /** By client: the gateway of its template. */
  readonly templates = new Map<string, string>();
  readonly #scheduling: Scheduling;
  readonly #gateways = new Map<string, Gateway>();
  #slots = 0;
  #persistent = false;

  constructor(scheduling: Scheduling) {
    this.#scheduling = scheduling;
  }

  async run({ setup, ops }: Recording): Promise<void> {
    for (const line of setup) await this.#command(parseCommand(line));
    for (const op of ops) await this.#step(op);
  }

  async #step(op: Op): Promise<void> {
    if (op.op === 'ipvsadm') await this.#command(parseCommand(op.args));
    if (op.op === 'open') this.decisions.push(await this.#open(op));
    if (op.after) await this.#count(op.after);
  }

  async #command({ verb, gateway: name, ...command }: Command): Promise<void> {
    const { settings } = command;
    if (verb === '-A') {
      this.#persistent = command.persistence !== undefined;
      await this.#scheduling.begin(command.scheduler, command.flags);
    } else if (verb === '-a') {
      this.#slots += 1;
      this.#gateways.set(name, { slot: this.#slots, settings, total: 0, overloaded: false });
      await this.#scheduling.insert(this.#slots, { weight: settings.weight, address: name });
    } else if (verb === '-e') {
      const gateway = this.#gateways.get(name)!;
      gateway.settings = settings;
      await this.#scheduling.setWeight(gateway.slot, settings.weight);
    } else {
      await this.#scheduling.remove(this.#gateways.get(name)!.slot);
      this.#gateways.delete(name);
    }
  }

  async #open({ conn, src, dst, dest: want }: Open): Promise<Decision> {
    const [address = '', port] = src.split(':');
    const template = this.templates.get(address);
    const settings = template && this.#gateways.get(template)?.settings;
    // A template whose gateway was deleted decides nothing.
    if (template && settings) {
      const by = settings.weight === 0 ? 'drained template' : 'template';
      return { conn, by, want, have: template };
    }
    const server = dst.split(':')[0]!;
    const have = await this.#pick({ address, port: Number(port), server });
    if (this.#persistent && want) this.templates.set(address, want);
    return { conn, by: 'scheduler', want, have };
  }

  async #pick(client: Client): Promise<string | null> {
    const slot = await this.#scheduling.pick(client);
    return [...this.#gateways].find(([, gateway]) => gateway.slot === slot)?.[0] ?? null;
  }

  /** Counts are the recorded ones; the overload flag follows from them. */
  async #count(after: After): Promise<void> {
    for (const [name, [active, inactive]] of Object.entries(after)) {
      const gateway = this.#gateways.get(name)!;
      const total = active + inactive;
      const { settings, overloaded } = gateway;
      const change = total - gateway.total;
      gateway.total = total;
      if (change) gateway.overloaded = nextOverloaded(settings, { total, overloaded, change });
      const counts = { active, inactive, overloaded: gateway.overloaded };
      await this.#scheduling.setCounts(gateway.slot, counts);
    }
  }
}
