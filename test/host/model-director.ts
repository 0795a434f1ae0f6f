// A director around schedulers: names, connections and counters, as ipvs-semantics §1.3 and §3.5 say.

import type {
  Client,
  Director,
  GatewaySettings,
  Protocol,
  ServiceSettings,
} from '../cases/case.ts';
import type { Scheduling } from './scheduling.ts';

/** Thresholds: refused from `upper` connections on until fewer than `lower` are left. */
export function nextOverloaded(
  { upper = 0, lower = 0 }: GatewaySettings,
  { total, overloaded, change }: { total: number; overloaded: boolean; change: number },
): boolean {
  if (upper === 0) return false;
  // A change of 0 is an edit of the thresholds, which looks at both.
  if (change >= 0 && total >= upper) return true;
  if (change <= 0 && total < (lower || upper - Math.floor(upper / 4))) return false;
  return overloaded;
}

interface Gateway {
  slot: number;
  settings: GatewaySettings;
  active: number;
  inactive: number;
  overloaded: boolean;
}

export class ModelDirector implements Director {
  readonly #scheduling: Scheduling;
  readonly #gateways = new Map<string, Gateway>();
  #slots = 0;

  constructor(scheduling: Scheduling) {
    this.#scheduling = scheduling;
  }

  async begin(
    { scheduler, flags }: ServiceSettings,
    gateways: [string, GatewaySettings][],
  ): Promise<void> {
    this.#gateways.clear();
    this.#slots = 0;
    await this.#scheduling.begin(scheduler, flags);
    for (const [name, settings] of gateways) await this.insert(name, settings);
  }

  async setScheduler({ scheduler, flags }: ServiceSettings): Promise<void> {
    await this.#scheduling.setScheduler(scheduler, flags);
  }

  async insert(name: string, settings: GatewaySettings): Promise<void> {
    this.#slots += 1;
    const counts = { active: 0, inactive: 0, overloaded: false };
    this.#gateways.set(name, { slot: this.#slots, settings, ...counts });
    await this.#scheduling.insert(this.#slots, settings.weight);
  }

  async edit(name: string, settings: GatewaySettings): Promise<void> {
    const gateway = this.#gateway(name);
    gateway.settings = settings;
    await this.#scheduling.setWeight(gateway.slot, settings.weight);
    await this.#count(gateway, 0);
  }

  async remove(name: string): Promise<void> {
    await this.#scheduling.remove(this.#gateway(name).slot);
    this.#gateways.delete(name);
  }

  async setCounts(name: string, active: number, inactive: number): Promise<void> {
    const gateway = this.#gateway(name);
    Object.assign(gateway, { active, inactive });
    await this.#count(gateway, 0);
  }

  async open(client: Client, protocol: Protocol): Promise<string> {
    const slot = await this.#scheduling.pick(client);
    for (const [name, gateway] of this.#gateways) {
      if (gateway.slot !== slot) continue;
      // UDP is inactive for life: no reply comes in these tests.
      gateway[protocol === 'tcp' ? 'active' : 'inactive'] += 1;
      await this.#count(gateway, 1);
      return name;
    }
    return '-';
  }

  async close(name: string): Promise<void> {
    const gateway = this.#gateway(name);
    gateway.active -= 1;
    gateway.inactive += 1;
    await this.#scheduling.setCounts(gateway.slot, gateway);
  }

  async end(name: string): Promise<void> {
    const gateway = this.#gateway(name);
    gateway[gateway.active > 0 ? 'active' : 'inactive'] -= 1;
    await this.#count(gateway, -1);
  }

  async #count(gateway: Gateway, change: number): Promise<void> {
    const { settings, overloaded } = gateway;
    const total = gateway.active + gateway.inactive;
    gateway.overloaded = nextOverloaded(settings, { total, overloaded, change });
    await this.#scheduling.setCounts(gateway.slot, gateway);
  }

  #gateway(name: string): Gateway {
    const gateway = this.#gateways.get(name);
    if (gateway === undefined) throw new Error(`the case has no gateway "${name}" now`);
    return gateway;
  }
}
