// The director in the kernel as the scheduler cases want one: real edits and real packets.

import type { Service } from '../../src/model/table.ts';
import type {
  Client,
  Director,
  GatewaySettings,
  Protocol,
  ServiceSettings,
} from '../cases/case.ts';
import type { Bed } from './bed.ts';
import { Flow } from './flow.ts';
import { gatewayAddress, toGateway } from './service.ts';

interface Gateway {
  number: number;
  /** Its connections, the oldest first. */
  open: Flow[];
  closed: Flow[];
}

export class KernelDirector implements Director {
  /** A case has set counts that no connections stand for. */
  countsAreForged = false;
  readonly #bed: Bed;
  readonly #gateways = new Map<string, Gateway>();
  #family: 4 | 6 = 4;
  /** Each connection goes to a port of its own, so that none is known already. */
  #serverPort = 0;

  constructor(bed: Bed) {
    this.#bed = bed;
  }

  async begin(
    { scheduler, flags, family, persistence }: ServiceSettings,
    gateways: [string, GatewaySettings][],
  ): Promise<void> {
    this.countsAreForged = false;
    this.#gateways.clear();
    this.#family = family;
    this.#serverPort = 0;
    this.#bed.renewService({
      ...{ family, scheduler, schedulerFlags: flags, persistence },
      gateways: gateways.map(([name, settings]) => [this.#number(name), settings]),
    });
  }

  async setScheduler({ scheduler, flags }: ServiceSettings): Promise<void> {
    this.#edit(() => ({ scheduler, schedulerFlags: flags }));
  }

  async insert(name: string, settings: GatewaySettings): Promise<void> {
    const gateway = toGateway(this.#number(name), this.#family, settings);
    this.#edit(({ gateways }) => ({ gateways: [gateway, ...gateways] }));
  }

  async edit(name: string, { weight, upper = 0, lower = 0 }: GatewaySettings): Promise<void> {
    const address = this.#addressOf(name);
    const change = { weight, upper, lower };
    this.#edit(({ gateways }) => ({
      gateways: gateways.map((gateway) =>
        gateway.address === address ? { ...gateway, ...change } : gateway,
      ),
    }));
  }

  async remove(name: string): Promise<void> {
    const address = this.#addressOf(name);
    this.#edit(({ gateways }) => ({
      gateways: gateways.filter((gateway) => gateway.address !== address),
    }));
  }

  async setCounts(name: string, active: number, inactive: number): Promise<void> {
    const { maps, settings } = this.#bed.director;
    const address = this.#addressOf(name);
    const ours = [...maps.slots.all(settings.slotsUsed)].find(
      ([, slot]) => slot.fwmark === 1 && slot.configured && this.#isGateway(slot.gateway, address),
    );
    maps.slotCounts.set(ours![0], { active, inactive, persistent: 0, overloaded: 0 });
    this.countsAreForged = true;
  }

  async open({ address, port }: Client, protocol: Protocol): Promise<string> {
    this.#serverPort += 1;
    const flow = new Flow({ client: address, port, protocol, serverPort: this.#serverPort });
    const chosen = this.#bed.direct(flow.up());
    for (const [name, { number, open }] of this.#gateways) {
      if (gatewayAddress(number, this.#family) !== chosen) continue;
      open.push(flow);
      return name;
    }
    return chosen === 'none' ? '-' : chosen;
  }

  async close(name: string): Promise<void> {
    const { open, closed } = this.#gateways.get(name)!;
    const flow = open.shift()!;
    this.#bed.direct(flow.up('A'));
    this.#bed.direct(flow.up('FA'));
    closed.push(flow);
  }

  /** Its newest packet was in the distant past: the next one finds an entry that has expired. */
  async end(name: string): Promise<void> {
    const { open, closed } = this.#gateways.get(name)!;
    const flow = (open.shift() ?? closed.shift())!;
    this.#bed.changeConnections((key, conn) =>
      key.serverPort === flow.serverPort ? { ...conn, seenNs: 0n } : conn,
    );
    this.#bed.direct(flow.up('A'));
  }

  #edit(change: (service: Service) => Partial<Service>): void {
    this.#bed.editService(change, 1, this.#family);
  }

  /** A deleted gateway that comes back is the same one. */
  #number(name: string): number {
    const number = this.#gateways.get(name)?.number ?? this.#gateways.size + 1;
    this.#gateways.set(name, { number, open: [], closed: [] });
    return number;
  }

  #isGateway(id: number, address: string): boolean {
    return this.#bed.gatewayOf((id << this.#bed.director.bits.shift) >>> 0) === address;
  }

  #addressOf(name: string): string {
    return gatewayAddress(this.#gateways.get(name)!.number, this.#family);
  }
}
