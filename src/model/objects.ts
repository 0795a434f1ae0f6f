// What the kernel's objects follow from beyond services and gateways: what a configuration adds to our
// nftables table and policy rules. Plain data; made by src/plan/config-objects.ts, kept with what is applied.

import type { Snat } from './config.ts';
import type { Family } from './table.ts';

/** A rule in nftables' words: a packet that any line matches is decided. */
export interface RuleObject {
  /** Names its counter too. */
  name: string;
  lines: string[];
  /** The fwmark that it sets; 0: on by the main table. */
  fwmark: number;
}

/** A set of addresses; those of `domains` come and go by themselves. */
export interface SetObject {
  name: string;
  prefixes: string[];
  domains: string[];
}

/** What of a gateway stands in our table. */
export interface GatewayPolicy {
  id: number;
  family: Family;
  link: string;
  snat: Snat;
  /** Its next hop lies in no network of the link's: the kernel must be told that it is there. */
  onlink: boolean;
}

/** Where a connection that comes in by a link has its answers sent. */
export interface InboundObject {
  link: string;
  family: Family;
  id: number;
}

/** A link whose packets must be smaller than the LAN's. */
export interface ClampObject {
  link: string;
  mtu: number;
}

/** A service for the router's own connections. */
export interface RouterObject {
  fwmark: number;
  /** What they have as their source until they leave: an address of the router's. A family without one is not shared out. */
  sources: Partial<Record<Family, string>>;
}

/** The gateway of what the router itself sends by this link, or from one of its addresses. */
export interface BoundObject {
  family: Family;
  link: string;
  addresses: string[];
  /** Of several gateways on one link, the first. */
  id: number;
}

/** DNS resolvers that are asked by one gateway, whoever asks. */
export interface ResolverObject {
  family: Family;
  addresses: string[];
  id: number;
}

export interface ConfigObjects {
  /** Addresses of gateways that are there also while no service has them. */
  gateways: string[];
  /** Links whose new connections the rules decide; empty: all but `outside`. */
  lan: string[];
  /** The gateways' links that are not the LAN's too. */
  outside: string[];
  /** Connections of some service may take the fast path. */
  fastpath: boolean;
  rules: RuleObject[];
  sets: SetObject[];
  policies: GatewayPolicy[];
  inbound: InboundObject[];
  clamps: ClampObject[];
  router?: RouterObject;
  bound?: BoundObject[];
  resolvers?: ResolverObject[];
}

export const noConfigObjects: ConfigObjects = {
  gateways: [],
  lan: [],
  outside: [],
  fastpath: false,
  rules: [],
  sets: [],
  policies: [],
  inbound: [],
  clamps: [],
};
