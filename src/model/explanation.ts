// What `lvsj explain` says of a connection: plain JSON. docs/explain.md describes each field.

import type { Connection, Family } from './table.ts';

/** A connection's first packet, as it comes from the LAN. */
export interface ExplainedPacket {
  family: Family;
  /** IP protocol number. */
  protocol: number;
  client: string;
  /** Of an ICMP echo: its identifier; 0 for protocols without ports. */
  clientPort: number;
  server: string;
  serverPort: number;
  /** The link that it comes in by; '' = it is the router's own. */
  link: string;
  dscp: number;
}

export interface ExplainedGateway {
  /** Of the configuration; its address for one that only lvsj ipvsadm knows. */
  name: string;
  id: number;
  /** Next hop; '' where the link itself is the way. */
  address: string;
  link: string;
  /** The source address that connections leave with, in words; '' if that is not ours to do. */
  source: string;
}

/** An entry of the connection table, and the gateway that it leads to. */
export interface ExplainedEntry extends Connection {
  gatewayName: string;
}

/** One gateway of a service: would the scheduler look at it at all? */
export interface Candidate {
  gateway: string;
  /** 0 while it has none. */
  id: number;
  /** From 1, as in the file. */
  tier: number;
  /** As the scheduler sees it. */
  weight: number;
  /** Thresholds, 0 = none. */
  upper: number;
  lower: number;
  active: number;
  inactive: number;
  /** Why it takes no new connection, in words; '' if it can. */
  refused: string;
  /** Why its tier is not asked, or gives way though it could take it, in words; '' if neither. */
  passed: string;
  chosen: boolean;
}

export interface ExplainedRule {
  name: string;
  /** `file:line` */
  at: string;
  /** The raw nftables match that nobody but the kernel can judge, or ''. */
  nft: string;
}

export interface ExplainedService {
  /** '' for one that only lvsj ipvsadm knows. */
  name: string;
  fwmark: number;
  /** '' where the director has no such service: none of its gateways is there. */
  scheduler: string;
  /** Seconds, 0 = not persistent. */
  persistence: number;
  persistenceKey: string;
}

/** What becomes of the packet. */
export interface Decision {
  /** What must be so for this, in words; '' if nothing must. */
  condition: string;
  /** That decides; null: none does. */
  rule: ExplainedRule | null;
  /** null: none. */
  service: ExplainedService | null;
  /** As `lvsj status` counts it: known, new, template, no_gateway … ; '' if the director is not asked. */
  verdict: string;
  /** How the gateway is chosen: scheduler, template, race, midstream; bound: by its source; resolver: of its own; '' if it gets none. */
  reason: string;
  /** That of its client in a persistent service, used or not. */
  template: ExplainedEntry | null;
  /** In the order of the service's list; empty where the director is not asked to choose. */
  candidates: Candidate[];
  /** null: on by the main table. */
  gateway: ExplainedGateway | null;
  /** Why it gets no gateway, in words; '' if it gets one. */
  because: string;
  /** The main table's route, where no gateway is taken: `default via 192.0.2.1 dev eth1`. */
  route: string;
}

export interface Explanation {
  packet: ExplainedPacket;
  /** That there is already: what really happened. */
  connection: ExplainedEntry | null;
  /** More than one where a condition can't be judged: the first whose condition holds. */
  decisions: Decision[];
}
