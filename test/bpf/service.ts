// What a test says of a service -> the table's service.

import {
  type Family,
  noCounters,
  type PersistenceKey,
  plainPolicy,
  type Service,
  type ServiceGateway,
} from '../../src/model/table.ts';

/** As ipvsadm -a takes them; the gateway is a number (see gatewayAddress) or an address. */
export interface GatewayOptions {
  weight?: number;
  upper?: number;
  lower?: number;
  /** From 0. */
  tier?: number;
}

/** As ipvsadm -A takes them. */
export interface ServiceOptions {
  fwmark?: number;
  family?: Family;
  scheduler?: string;
  schedulerFlags?: string[];
  persistence?: number;
  persistenceKey?: PersistenceKey;
  onePacket?: boolean;
  netmask?: string;
  /** Of the configuration alone. */
  policy?: Partial<Pick<Service, keyof typeof plainPolicy>>;
  /** In the order added, so the last one is the head of the list; a number is a weight. */
  gateways?: [gateway: number | string, options?: number | GatewayOptions][];
}

/** Gateway 1 in the first tier, 2 in the second, and so on, each with what is said of it. */
export const tiersOf = (tiers: GatewayOptions[]): [number, GatewayOptions][] =>
  tiers.map((given, tier) => [tier + 1, { tier, ...given }]);

/** The address of gateway 1..200: those above 100 lie on wan2. */
export function gatewayAddress(number: number, family: Family = 4): string {
  const [net, host] = number > 100 ? [2, number - 100] : [1, number];
  if (family === 6) return `2001:db8:${net}::${host.toString(16)}`;
  return `${net === 1 ? '192.0.2' : '198.51.100'}.${host}`;
}

export function toGateway(
  gateway: number | string,
  family: Family,
  options: number | GatewayOptions = 1,
): ServiceGateway {
  const {
    weight = 1,
    upper = 0,
    lower = 0,
    tier = 0,
  } = typeof options === 'number' ? { weight: options } : options;
  return {
    address: typeof gateway === 'number' ? gatewayAddress(gateway, family) : gateway,
    port: 0,
    ...{ weight, upper, lower, tier },
    ...{ active: 0, inactive: 0, persistent: 0 },
    totals: noCounters(),
    rates: noCounters(),
  };
}

export function toService(options: ServiceOptions): Service {
  const { fwmark = 1, family = 4, scheduler = 'rr', schedulerFlags = [] } = options;
  const gateways = (options.gateways ?? []).map(([gateway, given]) =>
    toGateway(gateway, family, given),
  );
  return {
    ...{ family, fwmark, scheduler, schedulerFlags },
    onePacket: options.onePacket ?? false,
    ...plainPolicy,
    ...options.policy,
    persistence: options.persistence ?? 0,
    persistenceKey: options.persistenceKey ?? 'source',
    netmask: options.netmask ?? (family === 4 ? '255.255.255.255' : '128'),
    gateways: gateways.reverse().sort((a, b) => a.tier - b.tier),
    totals: noCounters(),
    rates: noCounters(),
  };
}
