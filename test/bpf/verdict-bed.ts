// What the cases of verdicts begin with: addresses, flows, and the services of the director that they meet.

import type { Bed, Hook, Verdict } from './bed.ts';
import { client4, client6, Flow, server4, server6 } from './flow.ts';
import type { Packet } from './packet.ts';
import { gatewayAddress, type ServiceOptions } from './service.ts';

export interface VerdictCase {
  /** A sentence, read after the verdict. */
  name: string;
  hook: Hook;
  verdict: Verdict;
  before?: (bed: Bed) => void;
  packet: Packet | Buffer;
  /** Its mark before; without it that of a service with one gateway, 1. */
  mark?: number;
  /** As Bed.gatewayOf(); without it none at the director, and the mark unchanged at tc. */
  gateway?: string;
  /** By a real link: only the verdict is seen. */
  byWire?: boolean;
}

export const up4 = { src: client4, dst: server4 };
export const up6 = { src: client6, dst: server6 };
export const down4 = { src: server4, dst: client4 };
export const ports = { sport: 4000, dport: 80 };
export const tcp = new Flow();
export const tcp6 = new Flow({ client: client6 });
export const udp = new Flow({ protocol: 'udp' });
export const first = gatewayAddress(1);

export const mark = {
  served: 0x12_3401,
  persistent: 2,
  ipv6Only: 3,
  empty: 4,
  drained: 5,
  /** Gateway 101 has no other service, so that it goes with this one. */
  losing: 6,
  /** As long as gateway 2 is down, its connections are reset or go to gateway 1. */
  failing: 11,
  nobody: 7,
  onePacket: 8,
  refusing: 9,
  dropping: 10,
};

export const services: ServiceOptions[] = [
  { fwmark: mark.served, gateways: [[1]] },
  { fwmark: mark.served, family: 6, gateways: [[1]] },
  { fwmark: mark.persistent, persistence: 60, gateways: [[1], [2]] },
  { fwmark: mark.ipv6Only, family: 6, gateways: [[1]] },
  { fwmark: mark.empty },
  { fwmark: mark.drained, gateways: [[1, 0]] },
  { fwmark: mark.onePacket, onePacket: true, gateways: [[1]] },
  { fwmark: mark.refusing, policy: { lastResort: 'unreachable' }, gateways: [[1, 0]] },
  { fwmark: mark.dropping, policy: { lastResort: 'drop' } },
  { fwmark: mark.failing, scheduler: 'fo', gateways: [[1], [2, 2]] },
];

/** This flow's connection is in the table. */

/** A connection that the director knows. */
export const known =
  (flow: Flow) =>
  (bed: Bed): void => {
    bed.direct(flow.up(), mark.served);
  };
