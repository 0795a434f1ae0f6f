// The director's table as people see it: services, the gateways of each, and the connections.
// Plain data and nothing else; read from the kernel by src/kernel/table.ts, edited by src/ipvsadm/edit.ts.

/** 4 or 6: a service balances one address family, as in IPVS. */
export type Family = 4 | 6;

/** Five running totals; bytes are of IP packets, header included. "in" is LAN to internet, as IPVS counts requests. */
export interface Counters {
  connections: bigint;
  inPackets: bigint;
  outPackets: bigint;
  inBytes: bigint;
  outBytes: bigint;
}

/** A service's identity: its family and its fwmark (1 .. 2^32-1 without the gateway bits). */
export interface ServiceKey {
  family: Family;
  fwmark: number;
}

export const sameService = (a: ServiceKey, b: ServiceKey): boolean =>
  a.fwmark === b.fwmark && a.family === b.family;

/** One gateway of one service (IPVS's destination). */
export interface ServiceGateway {
  /** Next hop, canonical text: `192.0.2.1`, `2001:db8::1`, or `fe80::1%eth1` where the address needs its link. */
  address: string;
  /** Only shown, as ipvsadm shows it; a gateway has no port. 0 unless the admin wrote one. */
  port: number;
  /** 0 drains: no new connections, old ones go on. */
  weight: number;
  /** Thresholds in connections; 0 = none. */
  upper: number;
  lower: number;
  /** From 0: a higher number is used only while all below it are down or full. */
  tier: number;
  active: number;
  inactive: number;
  /** Persistence templates that point here. */
  persistent: number;
  totals: Counters;
  /** Per second, averaged as IPVS does; bytes per second for the byte fields. */
  rates: Counters;
}

/** Whose connections stay together in a persistent service: of one client, to one server, or both. */
export type PersistenceKey = 'source' | 'destination' | 'source-destination';

/** careful: unless rules of others need to see each packet. */
export type Fastpath = 'off' | 'careful' | 'on';

/** A service (IPVS's virtual service by fwmark). */
export interface Service extends ServiceKey {
  scheduler: string;
  /** Names as `-b` takes them, e.g. `sh-port`. */
  schedulerFlags: string[];
  /** Seconds a client stays on its gateway after its newest connection; 0 = not persistent. */
  persistence: number;
  persistenceKey: PersistenceKey;
  /** Which addresses of the key stay together: IPv4 a dotted mask (`255.255.255.255` = each alone), IPv6 a prefix length as text (`128`). */
  netmask: string;
  /** UDP: each packet is scheduled for itself. */
  onePacket: boolean;
  /** See enum on_down, failback and last_resort in bpf/abi.h; ipvsadm's services keep, stay, main. */
  onDown: 'keep' | 'reset' | 'reschedule';
  failback: 'stay' | 'new';
  lastResort: 'main' | 'unreachable' | 'drop';
  /** See enum fastpath there; ipvsadm's services: off. */
  fastpath: Fastpath;
  /** Newest first: IPVS's list order, which decides ties and where rr starts. */
  gateways: ServiceGateway[];
  totals: Counters;
  rates: Counters;
}

/** What ipvsadm's services do when a gateway fails: all that IPVS does, which is nothing. */
export const plainPolicy = {
  onDown: 'keep',
  failback: 'stay',
  lastResort: 'main',
  fastpath: 'off',
} as const;

/** Seconds, as `ipvsadm --set` takes them. */
export interface Timeouts {
  tcp: number;
  tcpFin: number;
  udp: number;
}

export interface Table {
  services: Service[];
  timeouts: Timeouts;
  /** Most connections that the table can hold: the `size=` of the listing's first line. */
  size: number;
}

/** One entry of the connection table: a connection, or a persistence template (`protocol` 0). */
export interface Connection {
  /** IP protocol number; 0 for a template. */
  protocol: number;
  family: Family;
  client: string;
  clientPort: number;
  /** The server on the internet; for a template the fwmark written as an address, as IPVS does. */
  server: string;
  serverPort: number;
  gateway: string;
  gatewayPort: number;
  /** As `ipvsadm -Lnc` prints it: ESTABLISHED, UDP, ASSURED … */
  state: string;
  /** Seconds until the entry goes if no packet comes. */
  expires: number;
  fwmark: number;
  /** Seconds since it began; 0 for a template. */
  age: number;
  /** How the gateway was chosen: `scheduler`, `template`, `race`, `midstream`; '' for a template. */
  reason: string;
  /** Number of the configuration under which it was; 0 if none was applied, and for a template. */
  generation: number;
}

export const noCounters = (): Counters => ({
  connections: 0n,
  inPackets: 0n,
  outPackets: 0n,
  inBytes: 0n,
  outBytes: 0n,
});
