// The configuration as plain data: what src/config makes of a file and src/plan works with. Every
// default is filled in; names that point to others (rule -> service -> gateway, @set) are checked.

import type { Health } from './health.ts';
import type { Family, Fastpath, PersistenceKey } from './table.ts';

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

/** What a gateway is asked, by its own link. Addresses also say the family that is judged; the rest judge both. */
export type ProbeConfig =
  /** ICMP echo. */
  | { kind: 'ping'; address: string }
  /** A connection is taken. */
  | { kind: 'tcp'; address: string; port: number }
  /** An answer for `name` (type A and AAAA; NXDOMAIN is one, SERVFAIL is not). */
  | { kind: 'dns'; address: string; port: number; name: string }
  /** The expected answer: anything else (a captive portal) is wrong, whatever traffic flows. */
  | { kind: 'http'; url: string; status: number[]; body: string }
  /** ARP or neighbour discovery of the next hop. */
  | { kind: 'neighbour' }
  /** The BFD session of the next hop, as FRR's bfdd has it. */
  | { kind: 'bfd' }
  /** Exit code 0; no shell. */
  | { kind: 'command'; command: string[] };

/** How `lvsj run` keeps watch on a gateway; checked by src/config, run by src/monitor. */
export interface MonitorConfig {
  /** Empty: only the link, the next hop's neighbour entry and the traffic tell. */
  probes: ProbeConfig[];
  /** Between two rounds of probes while all is well, and while it is down. */
  intervalMs: number;
  /** Of each probe. */
  timeoutMs: number;
  /** Between two rounds while it is suspect. */
  burstMs: number;
  /** Rounds that make it up. */
  rise: number;
  /** Rounds that make it down. */
  fall: number;
  /** Probes of a round that must be answered. */
  quorum: number;
  /** Rounds that loss and latency are averaged over. */
  window: number;
  /** Percent of unanswered probes: down from `down` on, up again below `up`; undefined: not asked. */
  loss?: { down: number; up: number };
  /** Average round-trip time in ms, likewise. */
  latency?: { down: number; up: number };
  /** How long it must be well before it is up again: `first`, twice as long at each relapse, `most` at the most; in ms. */
  hold: { first: number; most: number };
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
  monitor: MonitorConfig;
  /** DNS resolvers of this provider, reached by this gateway alone; empty: nothing is done. */
  resolvers: string[];
}

export interface ServiceGatewayConfig {
  /** Name of a gateway. */
  gateway: string;
  weight: number;
  /** Thresholds in connections, 0 = none. */
  upper: number;
  lower: number;
  /** From 1: a lower tier (a higher number) is used only while all above are down or full. */
  tier: number;
}

/** What becomes of connections whose gateway is down: see enum on_down in bpf/abi.h. */
export interface OnDown {
  action: 'reset' | 'reschedule' | 'keep';
  /** With reset: idle connections at once, too, not only with their next packet. */
  idle: boolean;
}

/** What becomes of those on a lower tier once a higher one takes connections again. */
export type Failback =
  /** All stay, and so do persistent clients. */
  | { kind: 'stay' }
  /** Connections stay, persistent clients' next ones go up. */
  | { kind: 'new' }
  /** The same, and connections that are still there after so many seconds are cut as by on-down. */
  | { kind: 'drain'; seconds: number }
  /** Connections are cut as by on-down. */
  | { kind: 'now' };

/** What becomes of a new connection that no gateway can take. */
export type LastResort = 'main' | 'unreachable' | 'drop';

/** A command that is run when something happens to a gateway. */
export interface HookConfig {
  /** Health that a gateway came to; empty: any. */
  on: Health[];
  /** Program and arguments, no shell; docs/failover.md tells its environment. */
  command: string[];
  timeoutMs: number;
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
  onDown: OnDown;
  failback: Failback;
  lastResort: LastResort;
  /** As its own key says, else as the file's: careful if that is on. */
  fastpath: Fastpath;
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
  hooks: HookConfig[];
}
