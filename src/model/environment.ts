// What of the network namespace a plan follows from: links, their addresses, and the main table's default
// routes. Plain data; read by src/kernel/environment.ts.

import type { Family } from './table.ts';

export interface LinkAddress {
  family: Family;
  address: string;
  /** Of its prefix. */
  length: number;
  /** False for link-local ones. */
  global: boolean;
  /** No new connection takes it: its prefix was withdrawn. */
  deprecated?: boolean;
  /** The other end's, where the link has but one other end (ppp). */
  peer?: string;
}

export interface Link {
  name: string;
  ifindex: number;
  loopback: boolean;
  /** As the admin set it; the kernel takes no route to a link that is down. */
  up: boolean;
  /** Its packets begin with an Ethernet header. */
  ethernet: boolean;
  /** The bridge or bond that it is part of: its packets are seen there. */
  master?: string;
}

export interface LinkFacts extends Link {
  /** Something is at the other end. */
  carrier: boolean;
  mtu: number;
  addresses: LinkAddress[];
}

export interface DefaultRoute {
  family: Family;
  link: string;
  /** '' where the link itself is the way. */
  via: string;
  metric: number;
}

export interface Environment {
  links: LinkFacts[];
  /** Of the main table. */
  defaults: DefaultRoute[];
  /** Those that this namespace routes. */
  families: Family[];
}
