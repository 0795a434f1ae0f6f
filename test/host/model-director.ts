// A director around schedulers: names, connections and counters, as ipvs-semantics §1.3 and §3.5 say.

import { gatewayAddress } from '../bpf/service.ts';
import {
  type Client,
  type Director,
  type GatewaySettings,
  isAddress,
  type Load,
  type Protocol,
  type ServiceSettings,
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
  /** A deleted one keeps its slot and its counts until it comes back. */
  configured: boolean;
  settings: GatewaySettings;
  active: number;
  inactive: number;
  overloaded: boolean;
}

export class ModelDirector implements Director {
  readonly #scheduling: Scheduling;
  readonly #gateways = new Map<string, Gateway>();
  #family: 4 | 6 = 4;

  constructor(scheduling: Scheduling) {
    this.#scheduling = scheduling;
  }

  async begin(
    { scheduler, flags, family }: ServiceSettings,
    gateways: [string, GatewaySettings][],
  ): Promise<void> {
    this.#gateways.clear();
    this.#family = family;
    await this.#scheduling.begin(scheduler, flags);
    for (const [name, settings] of gateways) await this.insert(name, settings);
  }

  async setScheduler({ scheduler, flags }: ServiceSettings): Promise<void> {
    await this.#scheduling.setScheduler(scheduler, flags);
  }

  async insert(name: string, settings: GatewaySettings): Promise<void> {
    const gateway = this.#gateways.get(name) ?? {
      ...{ slot: this.#gateways.size + 1, settings, configured: true },
      ...{ active: 0, inactive: 0, overloaded: false },
    };
    Object.assign(gateway, { settings, configured: true });
    this.#gateways.set(name, gateway);
    const { slot } = gateway;
    const address = isAddress(name) ? name : gatewayAddress(slot, this.#family);
    await this.#scheduling.insert(slot, { weight: settings.weight, address });
    await this.#count(gateway, 0);
  }

  async edit(name: string, settings: GatewaySettings): Promise<void> {
    const gateway = this.#gateway(name);
    gateway.settings = settings;
    await this.#scheduling.setWeight(gateway.slot, settings.weight);
    await this.#count(gateway, 0);
  }

  async remove(name: string): Promise<void> {
    const gateway = this.#gateway(name);
    await this.#scheduling.remove(gateway.slot);
    gateway.configured = false;
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
      await this.#scheduling.opened(slot, protocol === 'tcp');
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

  async setLoad(name: string, load: Required<Load>): Promise<void> {
    await this.#scheduling.setLoad(this.#gateway(name).slot, load);
  }

  async setRtt(name: string, microseconds: number): Promise<void> {
    await this.#scheduling.setRtt(this.#gateway(name).slot, microseconds);
  }

  async pass(seconds: number): Promise<void> {
    await this.#scheduling.pass(seconds);
  }

  async #count(gateway: Gateway, change: number): Promise<void> {
    const { settings, overloaded } = gateway;
    const total = gateway.active + gateway.inactive;
    gateway.overloaded = nextOverloaded(settings, { total, overloaded, change });
    await this.#scheduling.setCounts(gateway.slot, gateway);
  }

  #gateway(name: string): Gateway {
    const gateway = this.#gateways.get(name);
    if (!gateway?.configured) throw new Error(`the case has no gateway "${name}" now`);
    return gateway;
  }
}
