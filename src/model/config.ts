// The configuration as plain data: what src/config makes of a file and src/plan works with. Every
// default is filled in; names that point to others (rule -> service -> gateway, @set) are checked.

import type { Family, PersistenceKey } from './table.ts';

/** Where a gateway's next hop comes from. */
export type Via =
  | { kind: 'address'; address: string }
  /** Learnt from the main table's default route of the link: DHCP, router advertisements. */
  | { kind: 'auto' }
  /** The link itself is the way: ppp, WireGuard. */
  | { kind: 'onlink' };

/** The source address of connections that leave by a gateway. */
export type Snat =
  | { kind: 'address'; address: string }
  | { kind: 'masquerade' }
  /** Keeps the sender's: public addresses that this provider routes. */
  | { kind: 'none' }
  /** IPv6: changes the prefix and keeps the host's part; `prefix` with its length. */
  | { kind: 'npt'; prefix: string };

/** How `lvsj` keeps watch on a gateway; checked here, run by the monitor. */
export interface MonitorConfig {
  probes: { kind: string; target: string }[];
  intervalMs: number;
  rise: number;
  fall: number;
  quorum: number;
}

export interface GatewayConfig {
  name: string;
  link: string;
  /** A family that is missing is not served by this gateway. */
  via: Partial<Record<Family, Via>>;
  snat: Record<Family, Snat>;
  /** Bytes that a packet may have on the way beyond the link, where that is less than the link's own MTU; 0 = not told. */
  mtu: number;
  /** Bits a second, 0 = not told. */
  capacity: { down: number; up: number };
  monitor?: MonitorConfig;
}

export interface ServiceGatewayConfig {
  /** Name of a gateway. */
  gateway: string;
  weight: number;
  /** Thresholds in connections, 0 = none. */
  upper: number;
  lower: number;
}

export interface ServiceConfig {
  name: string;
  fwmark: number;
  scheduler: string;
  schedulerFlags: string[];
  /** Seconds, 0 = not persistent. */
  persistence: number;
  persistenceKey: PersistenceKey;
  /** Prefix lengths of what stays together. */
  netmask: Record<Family, number>;
  onePacket: boolean;
  /** In the order of the file. */
  gateways: ServiceGatewayConfig[];
}

/** A named set of destinations or sources, `@name` in rules. */
export interface SetConfig {
  name: string;
  /** Both families, canonical, with length. Those of its file are among them. */
  prefixes: string[];
  /** Names whose addresses the daemon keeps in it. */
  domains: string[];
}

/** An inclusive range; one number is a range of one. */
export type Range = [first: number, last: number];

/** An empty list does not restrict. */
export interface RuleConfig {
  /** Its own name, or what it says in short; unique. Counters stay with it over reloads. */
  name: string;
  /** Where in the file, `file:line`. */
  at: string;
  /** Prefixes and `@sets`. */
  from: string[];
  to: string[];
  /** IP protocol numbers. */
  protocols: number[];
  sport: Range[];
  dport: Range[];
  dscp: number[];
  /** Incoming links. */
  links: string[];
  /** A raw nftables match expression, or ''. */
  nft: string;
  /** Name of a service, or `main`: not shared out, on by the main table. */
  service: string;
}

/** The rule's word for "by the main table"; no service has this name. */
export const mainService = 'main';

export interface ApiConfig {
  /** Group that may use the socket, '' = root alone. */
  group: string;
  /** `address:port` of a metrics listener, '' = none. */
  metricsListen: string;
  /** File that holds the token which scrapers must show; never empty with metricsListen. */
  metricsTokenFile: string;
}

export interface Config {
  /** Links of the LAN; empty: every link that no gateway uses. */
  lan: string[];
  /** Service for the router's own connections, '' = by the main table. */
  router: string;
  /** Most connections that the table holds; read when the director starts. */
  connections: number;
  /** The gateway bits of the mark; read when the director starts. */
  markMask: number;
  timeouts: { tcp: number; tcpFin: number; udp: number };
  /** IPVS's sysctls by name: see src/kernel/settings.ts. */
  settings: Record<string, number>;
  api: ApiConfig;
  gateways: GatewayConfig[];
  services: ServiceConfig[];
  sets: SetConfig[];
  rules: RuleConfig[];
}
