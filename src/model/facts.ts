// What is so on this machine and in this network namespace, as plain data: read by src/kernel/facts.ts,
// judged by src/doctor. Each group is read when it is first asked for, and asking throws where it
// can't be read: who asks says what could not be judged.

import type { Snat } from './config.ts';
import type { FastpathState } from './state.ts';
import type { Family } from './table.ts';

export interface KernelFacts {
  /** `6.1.0-28-amd64` */
  release: string;
  /** What was tried, by name, and whether it is there. */
  features: Record<KernelFeature, boolean>;
}

export type KernelFeature = 'btf' | 'route programs' | 'clsact' | 'nftables' | 'conntrack';

export interface ProgramFact {
  name: string;
  /** As it tells; '' where it is not installed. */
  version: string;
}

export interface AddressFact {
  family: Family;
  /** Without its length. */
  address: string;
  length: number;
  scope: string;
}

export interface LinkFact {
  name: string;
  up: boolean;
  carrier: boolean;
  loopback: boolean;
  /** Its packets need a neighbour's link address. */
  resolves: boolean;
  mtu: number;
  master: string;
  addresses: AddressFact[];
}

/** One entry of `ip -json rule`. */
export interface RuleFact {
  family: Family;
  priority: number;
  not: boolean;
  /** Prefix, or `all`. */
  from: string;
  to: string;
  fwmark: { value: number; mask: number } | null;
  iif: string;
  oif: string;
  /** Other conditions (ports, protocol, users, tos), in words; '' if there are none. */
  rest: string;
  /** `lookup main`, `goto 32766`, `prohibit` … */
  action: string;
  /** Of a lookup; '' for other actions. */
  table: string;
  /** Routes of this length or shorter do not count; -1 = all do. */
  suppress: number;
}

export interface RouteFact {
  family: Family;
  /** `main`, `local`, a number. */
  table: string;
  /** Prefix with its length; the default route is 0.0.0.0/0 or ::/0. */
  to: string;
  /** `unicast`, `local`, `unreachable` … */
  type: string;
  /** '' for a connected route. */
  via: string;
  link: string;
  metric: number;
  /** `kernel`, `ra`, `dhcp` … */
  protocol: string;
}

/** What the neighbour table says of a gateway's next hop, once it was asked for. */
export interface NeighbourFact {
  address: string;
  link: string;
  state: string;
}

/** The output of iptables-save and its like. */
export interface SavedRules {
  /** The program that changes these: `iptables`, `ip6tables`, `iptables-legacy` … */
  program: string;
  family: Family;
  text: string;
}

export interface GatewayFact {
  /** Of the configuration, else its address. */
  name: string;
  family: Family;
  /** 0 while it has none. */
  id: number;
  /** '' for a link that is the way itself, and while it is not known; `192.0.2.1%eth1` where only the link tells. */
  address: string;
  link: string;
  /** The next hop is learnt from the main table's default route. */
  learnt: boolean;
  /** As configured, 0 = that of the link. */
  mtu: number;
  /** What the director does about source addresses; null: the admin's rules do. */
  snat: Snat | null;
  /** Why no new connection goes there; '' if some do. */
  unavailable: string;
}

export interface FastpathFacts {
  state: Exclude<FastpathState, 'off'>;
  /** Services that have it unless rules of others must see each packet, and those that insist. */
  careful: string[];
  insisting: string[];
}

/** A filter of tc. */
export interface FilterFact {
  link: string;
  preference: number;
  /** `matchall`; with its actions `matchall, mirred`. */
  kind: string;
}

export interface DirectorFacts {
  /** Of the configuration that is applied; '' where only lvsj ipvsadm was used. */
  file: string;
  markMask: number;
  connections: { now: number; limit: number };
  gateways: GatewayFact[];
  services: { name: string; family: Family; fwmark: number }[];
  /** Links of the LAN, and those of them that lack a program. */
  lan: string[];
  lanWithoutPrograms: string[];
  timersPinned: boolean;
  expiryAlive: boolean;
  /** Commands that make its policy rules and routes what they should be. */
  repairs: string[];
  /** Families whose route to the director's program is gone. */
  withoutProgram: Family[];
  /** Our nftables table is not there, or somebody changed it. */
  nftIsDamaged: boolean;
  /** null: no service of the configuration has it. */
  fastpath: FastpathFacts | null;
}

export interface Facts {
  readonly kernel: KernelFacts;
  readonly programs: ProgramFact[];
  /** By path below /proc/sys. */
  readonly sysctls: Record<string, string>;
  readonly links: LinkFact[];
  readonly rules: RuleFact[];
  readonly routes: RouteFact[];
  readonly neighbours: NeighbourFact[];
  /** The `nftables` list of `nft -j list ruleset`. */
  readonly nft: unknown[];
  readonly iptables: SavedRules[];
  /** In use: `iptables filter`. */
  readonly legacyTables: string[];
  /** Of others, at the ingress of the LAN's and the gateways' links, behind the director's. */
  readonly passedFilters: FilterFact[];
  /** Large receive offload by link: `on`, `off`, or `on [fixed]`. */
  readonly lro: Record<string, string>;
  /** The system clock follows a time server. */
  readonly clockIsSynchronised: boolean;
  /** systemd-networkd runs here, and takes away policy rules that it did not make. */
  readonly networkdTakesRules: boolean;
  /** Elsewhere than in the machine's first network namespace the bound of conntrack is only shown. */
  readonly conntrackMaxIsWritable: boolean;
  /** undefined where none runs. */
  readonly director: DirectorFacts | undefined;
}

export type FirewallFacts = Pick<Facts, 'nft' | 'iptables'>;
