// A configuration of two gateways and one service, in the environment of a router with two lines: for
// tests of plans.

import type { Config } from '../src/model/config.ts';
import type { Environment, LinkFacts } from '../src/model/environment.ts';
import { defaultMonitor, defaultPolicy } from '../src/model/monitor.ts';
import type { Table } from '../src/model/table.ts';
import type { KnownGateways } from '../src/plan/hops.ts';
import type { Have, Plan } from '../src/plan/plan.ts';

export const v4 = (address: string, length = 24) => ({
  family: 4 as const,
  address,
  length,
  global: true,
});

export const link = (name: string, given: Partial<LinkFacts> = {}): LinkFacts => ({
  ...{ name, ifindex: 1, up: true, carrier: true, loopback: false, ethernet: true, mtu: 1500 },
  ...{ addresses: [], ...given },
});

export const environment: Environment = {
  links: [
    link('eth0', { addresses: [v4('10.0.0.1')] }),
    link('eth1', { addresses: [v4('192.0.2.2')] }),
    link('eth2', { addresses: [v4('203.0.113.2')] }),
  ],
  defaults: [{ family: 4, link: 'eth2', via: '203.0.113.1', metric: 0 }],
  families: [4],
};

const masquerade = { 4: { kind: 'masquerade' }, 6: { kind: 'masquerade' } } as const;

export const gateway = (name: string, link: string, via: Config['gateways'][number]['via']) => ({
  ...{ name, link, via, snat: masquerade },
  ...{ mtu: 0, capacity: { down: 0, up: 0 }, monitor: defaultMonitor, resolvers: [] },
});

export const inService = (name: string, weight = 1) => ({
  ...{ gateway: name, weight, upper: 0, lower: 0, tier: 1 },
});

export const config: Config = {
  ...{
    lan: [],
    router: '',
    connections: 1024,
    markMask: 0xff000000,
    settings: {},
    sets: [],
    rules: [],
    hooks: [],
  },
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  api: { group: '', metricsListen: '', metricsTokenFile: '' },
  gateways: [
    gateway('fiber', 'eth1', { 4: { kind: 'address', address: '192.0.2.1' } }),
    gateway('lte', 'eth2', { 4: { kind: 'auto' } }),
  ],
  services: [
    {
      ...{ name: 'web', fwmark: 1, scheduler: 'wrr', schedulerFlags: [], persistence: 0 },
      ...{ persistenceKey: 'source', netmask: { 4: 32, 6: 128 }, onePacket: false },
      ...defaultPolicy,
      gateways: [inService('fiber', 3), inService('lte')],
    },
  ],
};

export const emptyTable: Table = { services: [], timeouts: config.timeouts, size: 1024 };
export const nothing: Have = {
  table: emptyTable,
  known: new Map(),
  applied: undefined,
  environment,
};

/** What there is once a plan is carried out. */
export function after({ table, gateways, gatewayIds, objects }: Plan, changed = environment): Have {
  const known: KnownGateways = new Map(
    gateways.flatMap(({ key, address, link }) => {
      const id = gatewayIds[key];
      return id === undefined ? [] : [[id, { address, link, present: true }] as const];
    }),
  );
  return { table, known, applied: { config, gatewayIds, objects }, environment: changed };
}
