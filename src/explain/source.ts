// What an explanation asks of the kernel; src/kernel/explain.ts answers, tests pretend to.

import type { Applied } from '../model/applied.ts';
import type { Environment } from '../model/environment.ts';
import type { ExplainedPacket } from '../model/explanation.ts';
import type { Connection, Family, Service, ServiceKey } from '../model/table.ts';

/** A connection as the LAN sees it. */
export type FlowKey = Pick<
  ExplainedPacket,
  'protocol' | 'client' | 'clientPort' | 'server' | 'serverPort'
>;

/** An entry of the connection table, with the id of its gateway. */
export type Entry = Connection & { gatewayId: number };

/** What the datapath says that it would do. */
export interface DryRun {
  /** As `lvsj status` counts it: known, new, template, no_gateway … */
  verdict: string;
  /** How its gateway was chosen (verdict known) or would be; '' if it gets none. */
  reason: string;
  /** The gateway's id, 0 = none. */
  gateway: number;
  /** That there is already. */
  connection?: Entry;
  /** Of a persistent service: that of its client, usable or not. */
  template?: Entry;
}

/** The kernel's route for a packet. */
export interface FoundRoute {
  /** unicast, local, broadcast …; `director`: to be shared out; `refused`: the kernel refuses it. */
  type: string;
  /** `default` or a prefix; '' where there is none. */
  to: string;
  via: string;
  link: string;
  /** Id of the gateway whose table it is in, 0 = of none. */
  gateway: number;
}

/** One gateway of a service as the datapath has it. */
export interface GatewaySlot {
  /** Id. */
  gateway: number;
  /** From 0. */
  tier: number;
  weight: number;
  upper: number;
  lower: number;
  active: number;
  inactive: number;
  /** Its thresholds' hysteresis. */
  full: boolean;
  configured: boolean;
}

export interface Source {
  applied: Applied | undefined;
  environment: Environment;
  services: Service[];
  /** By id. */
  gateways: Map<number, { address: string; link: string; present: boolean }>;
  /** undefined: there is none. A link of '' is the router's own packet. */
  findRoute(packet: ExplainedPacket, fwmark: number): FoundRoute | undefined;
  /** Where this address is reached: the link, or `local` for one of the router's own. */
  findLink(address: string): { link: string; local: boolean } | undefined;
  /** What DNS put into a set. */
  readDomains(set: string, family: Family): string[];
  readSlots(service: ServiceKey): GatewaySlot[];
  dryRun(service: ServiceKey, flow: FlowKey): DryRun;
}
