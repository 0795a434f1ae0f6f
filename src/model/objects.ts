// What the kernel's objects follow from beyond services and gateways: what a configuration adds to our
// nftables table. Plain data; made by src/plan/config-objects.ts, kept with what is applied.

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

export interface ConfigObjects {
  /** Addresses of gateways that are there also while no service has them. */
  gateways: string[];
  /** Links whose new connections the rules decide; empty: all but `outside`. */
  lan: string[];
  /** The gateways' links that are not the LAN's too. */
  outside: string[];
  rules: RuleObject[];
  sets: SetObject[];
  policies: GatewayPolicy[];
  inbound: InboundObject[];
  clamps: ClampObject[];
}

export const noConfigObjects: ConfigObjects = {
  gateways: [],
  lan: [],
  outside: [],
  rules: [],
  sets: [],
  policies: [],
  inbound: [],
  clamps: [],
};
