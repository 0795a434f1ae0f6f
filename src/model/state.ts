// What everybody outside sees of a director: the command line's readers with --json, the API, metrics.
// Plain JSON; bigints of counters are numbers here. docs/api.md describes each field.

import type { EvidenceState } from './evidence.ts';
import type { GatewayHealth } from './health.ts';
import type { Connection, Family } from './table.ts';

/** What an admin told a gateway: drain = no new connections, disabled = none at all. */
export type AdminState = 'enabled' | 'drained' | 'disabled';

/** Bits a second from the internet (down) and to it (up). */
export interface BitRates {
  down: number;
  up: number;
}

export interface GatewayState {
  /** Of the configuration; '' for one that only lvsj ipvsadm knows. */
  name: string;
  /** Its number in marks, routing tables and policy rules; 0 while it has none. */
  id: number;
  family: Family;
  /** Next hop; '' while it is not known. */
  address: string;
  link: string;
  /** False once no service has it any more; its connections may still be there. */
  present: boolean;
  admin: AdminState;
  /** Why no new connection can go there, in words; '' if one can. */
  unavailable: string;
  health: GatewayHealth;
  /** In words: `masquerade`, `192.0.2.2`, `none`, `npt 2001:db8::/64`; '' if not ours to do. */
  snat: string;
  capacity: BitRates & { downAssumed: boolean; upAssumed: boolean };
  /** Averages over some two seconds. */
  rate: BitRates;
  connections: { active: number; inactive: number };
  /** Running totals of all services. */
  totals: TotalsState;
  /** Average time from SYN to SYN-ACK, in microseconds; null where it is not known. */
  rttUs: number | null;
  /** What packets told of its health. */
  evidence: EvidenceState;
}

export interface TotalsState {
  connections: number;
  inPackets: number;
  outPackets: number;
  inBytes: number;
  outBytes: number;
}

export interface ServiceGatewayState {
  gateway: string;
  address: string;
  /** From 1, as in the file. */
  tier: number;
  /** As configured. */
  weight: number;
  /** As the scheduler sees it: 0 while drained or unavailable. */
  effectiveWeight: number;
  upper: number;
  lower: number;
  active: number;
  inactive: number;
  persistent: number;
  totals: TotalsState;
  rates: TotalsState;
}

export interface ServiceState {
  /** '' for one that only lvsj ipvsadm knows. */
  name: string;
  family: Family;
  fwmark: number;
  scheduler: string;
  schedulerFlags: string[];
  persistence: number;
  persistenceKey: string;
  netmask: string;
  onePacket: boolean;
  /** What becomes of connections whose gateway is down: keep, reset, reschedule. */
  onDown: string;
  /** Of those on a lower tier once a higher one takes some again: stay, new, now, `drain 60s`. */
  failback: string;
  /** Of new ones that no gateway takes: main, unreachable, drop. */
  lastResort: string;
  /** off, careful (unless rules of others need to see each packet), on. */
  fastpath: string;
  gateways: ServiceGatewayState[];
  totals: TotalsState;
  rates: TotalsState;
}

export interface RuleState {
  name: string;
  at: string;
  service: string;
  /** Connections (first packets) that it decided, and their bytes. */
  packets: number;
  bytes: number;
}

export interface ConnectionState extends Connection {
  /** Name of the gateway; its address where it has none. */
  gatewayName: string;
  serviceName: string;
}

/** A rule of others that must see each packet of a connection: see docs/fastpath.md. */
export interface NeedyRule {
  /** `inet filter`; of iptables `filter`. */
  table: string;
  chain: string;
  /** In words of its program: `nft rule …`, `iptables -t filter -A …`. */
  rule: string;
  /** What it must see them for: `quota`, `limit, LOG` … */
  why: string;
}

export interface DaemonState {
  pid: number;
  /** Why the newest file was refused, '' if it was not. */
  error: string;
  /** For which services that do not insist keep off the fast path. */
  needyRules: NeedyRule[];
}

/**
 * off: no service has it; unwatched: all packets take the normal path, for no daemon watches; careful: those of
 * services that do not insist do, for rules of others, or until these are read; on: none has to.
 */
export type FastpathState = 'off' | 'unwatched' | 'careful' | 'on';

export interface StatusState {
  connections: { now: number; limit: number };
  markMask: string;
  /** The configuration that is applied; null where only lvsj ipvsadm was used. */
  config: { file: string; generation: number; appliedAt: string; confirmBy: string | null } | null;
  /** null if none runs here. */
  daemon: DaemonState | null;
  fastpath: FastpathState;
  gateways: Pick<
    GatewayState,
    'name' | 'id' | 'address' | 'link' | 'present' | 'admin' | 'unavailable' | 'health'
  >[];
  /** hook -> verdict -> packets, since the director started; verdicts that never came are left out. */
  verdicts: Record<string, Record<string, number>>;
}

/** One difference between what is and what is wanted, for people. */
export interface PlannedChange {
  verb: 'add' | 'change' | 'remove' | 'repair';
  /** `gateway fiber`, `service web`, `rule lan-web`, `policy rule` … */
  what: string;
  /** What of it, in words: `weight 3 -> 1`. */
  detail: string;
}

export interface PlanState {
  changes: PlannedChange[];
  /** Living connections: how many there are, get another gateway, end. */
  connections: { total: number; move: number; cut: number };
}
