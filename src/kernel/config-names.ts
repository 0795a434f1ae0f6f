// What the applied configuration calls things, for the numbers that the kernel knows: gateway ids and fwmarks.

import { type Applied, gatewayKey } from '../model/applied.ts';
import type { GatewayConfig, ServiceConfig, ServiceGatewayConfig } from '../model/config.ts';
import type { Family } from '../model/table.ts';

/** A gateway of the configuration in one of its families. */
export interface NamedGateway {
  config: GatewayConfig;
  family: Family;
  /** gatewayKey */
  key: string;
  /** 0 while it has none. */
  id: number;
}

/** A gateway as one of a service's. */
export interface Member {
  gateway: NamedGateway;
  config: ServiceGatewayConfig;
}

/** The next hop that the file says; '' where it is learnt, or there is none. */
export function wantedAddress({ config, family }: NamedGateway): string {
  const via = config.via[family];
  return via?.kind === 'address' ? via.address : '';
}

const families: readonly Family[] = [4, 6];

export class Names {
  readonly applied: Applied | undefined;
  /** In the order of the file, IPv4 before IPv6; without families that its provider does not serve. */
  readonly gateways: NamedGateway[];
  readonly #byId: Map<number, NamedGateway>;
  readonly #byMark: Map<number, ServiceConfig>;

  /** applied: undefined where only lvsj ipvsadm was used: nothing has a name. */
  constructor(applied: Applied | undefined) {
    this.applied = applied;
    this.gateways = (applied?.config.gateways ?? []).flatMap((config) =>
      families.flatMap((family) => this.#named(config, family)),
    );
    this.#byId = new Map(this.gateways.map((gateway) => [gateway.id, gateway]));
    this.#byId.delete(0);
    this.#byMark = new Map(this.services.map((service) => [service.fwmark, service]));
  }

  /** `auto` asks for both families; one that the provider lacks has neither a number nor a reason. */
  #named(config: GatewayConfig, family: Family): NamedGateway[] {
    const key = gatewayKey(config.name, family);
    const id = this.applied?.gatewayIds[key] ?? 0;
    const isServed = id !== 0 || this.applied?.unavailable[key] !== undefined;
    return config.via[family] && isServed ? [{ config, family, key, id }] : [];
  }

  get services(): readonly ServiceConfig[] {
    return this.applied?.config.services ?? [];
  }

  /** Of a gateway's id. */
  gateway(id: number): NamedGateway | undefined {
    return this.#byId.get(id);
  }

  /** Of a service's fwmark. */
  service(fwmark: number): ServiceConfig | undefined {
    return this.#byMark.get(fwmark);
  }

  /** '' for what has none. */
  gatewayName(id: number): string {
    return this.gateway(id)?.config.name ?? '';
  }

  serviceName(fwmark: number): string {
    return this.service(fwmark)?.name ?? '';
  }

  /** What a service is configured to have in this family, in the order of the file. */
  membersOf(fwmark: number, family: Family): Member[] {
    return (this.service(fwmark)?.gateways ?? []).flatMap((config) =>
      this.gateways
        .filter((each) => each.config.name === config.gateway && each.family === family)
        .map((gateway) => ({ gateway, config })),
    );
  }

  /** Those in which a service has gateways. */
  familiesOf({ fwmark }: ServiceConfig): Family[] {
    return families.filter((family) => this.membersOf(fwmark, family).length > 0);
  }
}
