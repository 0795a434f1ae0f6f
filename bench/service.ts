// The service that is measured, and its gateways: what the programs read of them, and no more.

import * as abi from '../src/kernel/abi.gen.ts';
import { noCounters, plainPolicy, type Service } from '../src/model/table.ts';
import type { Hop } from '../src/plan/hops.ts';

export const fwmark = 1;

export interface ServiceSpec {
  scheduler: string;
  gateways: number;
  persistence: number;
  /** Of the gateways in turn, the first again after the last. */
  weights?: number[];
}

export const noGateway: abi.Gateway = {
  via: { word: [0, 0, 0, 0] },
  ifindex: 0,
  flags: abi.gatewayFlag.GATEWAY_PRESENT,
  capacityDown: 0n,
  capacityUp: 0n,
  link: '',
};

/** Idle; lrtt must have something to compare. */
export const measured: abi.GatewayLoad = {
  last: { down: 0n, up: 0n },
  ...{ down: 0n, up: 0n, downPart: 0, upPart: 0, freshPart: 0, fresh: 0 },
  ...{ rttUs: 0, asked: 0, silent: 0 },
};

export const addressOf = (id: number): string => `192.0.2.${id}`;

export const hopOf = (id: number): Hop => ({
  id,
  family: 4,
  address: addressOf(id),
  via: addressOf(id),
  link: `eth${id}`,
  scoped: false,
  fresh: true,
});

export function serviceOf({
  scheduler,
  gateways,
  persistence,
  weights = [1],
}: ServiceSpec): Service {
  return {
    ...{ family: 4, fwmark, scheduler, schedulerFlags: [], persistence, onePacket: false },
    ...plainPolicy,
    persistenceKey: 'source',
    netmask: '255.255.255.255',
    gateways: Array.from({ length: gateways }, (_, i) => ({
      address: addressOf(i + 1),
      weight: weights[i % weights.length] ?? 1,
      ...{ port: 0, upper: 0, lower: 0, tier: 0, active: 0, inactive: 0, persistent: 0 },
      totals: noCounters(),
      rates: noCounters(),
    })),
    totals: noCounters(),
    rates: noCounters(),
  };
}
