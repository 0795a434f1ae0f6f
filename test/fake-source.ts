// A kernel that tests of explanations pretend: two gateways, one of them drained, a service of both, and
// everything for it but what has routes of its own.

import type { DryRun, Entry, FoundRoute, GatewaySlot, Source } from '../src/explain/source.ts';
import type { Applied } from '../src/model/applied.ts';
import type { LinkFacts } from '../src/model/environment.ts';
import { noConfigObjects } from '../src/model/objects.ts';
import { noCounters, plainPolicy, type Service } from '../src/model/table.ts';
import { applied as appliedWith } from './bpf/configured.ts';

const link = (name: string, ...addresses: string[]): LinkFacts => ({
  ...{ name, ifindex: 1, loopback: false, up: true, ethernet: true, carrier: true, mtu: 1500 },
  addresses: addresses.map((address) => ({ family: 4, address, length: 24, global: true })),
});

export const route = (to: string, name: string, given: Partial<FoundRoute> = {}): FoundRoute => ({
  ...{ type: 'unicast', to, via: '', link: name, gateway: 0 },
  ...given,
});

export const slot = (gateway: number, given: Partial<GatewaySlot> = {}): GatewaySlot => ({
  ...{ gateway, tier: 0, weight: 1, upper: 0, lower: 0, active: 0, inactive: 0, full: false },
  configured: true,
  ...given,
});

export const entry: Entry = {
  ...{ protocol: 6, family: 4, client: '10.0.0.5', clientPort: 40000, server: '203.0.113.9' },
  ...{ serverPort: 443, gateway: '198.51.100.1', gatewayPort: 443, state: 'ESTABLISHED' },
  ...{ expires: 890, fwmark: 1, age: 20, reason: 'template', generation: 2, gatewayId: 3 },
};

const web: Service = {
  ...{ family: 4, fwmark: 1, scheduler: 'wlc', schedulerFlags: [], persistence: 60 },
  ...{ persistenceKey: 'source', netmask: '255.255.255.0', onePacket: false, gateways: [] },
  ...plainPolicy,
  ...{ totals: noCounters(), rates: noCounters() },
};

export const applied: Applied = {
  ...appliedWith({ 'fiber/4': 1, 'lte/4': 3 }),
  objects: {
    ...noConfigObjects,
    outside: ['wan1', 'wan2', 'wan3'],
    policies: [
      { id: 1, family: 4, link: 'wan1', snat: { kind: 'masquerade' }, onlink: false },
      { id: 3, family: 4, link: 'wan2', snat: { kind: 'none' }, onlink: false },
    ],
    inbound: [{ link: 'wan2', family: 4, id: 3 }],
  },
};

export function source(given: Partial<Source> & { answer?: Partial<DryRun> } = {}): Source {
  const { answer, ...rest } = given;
  return {
    applied,
    environment: {
      links: [link('lan0', '10.0.0.1'), link('wan1', '192.0.2.50', '192.0.2.2'), link('wan2')],
      ...{ defaults: [], families: [4] },
    },
    services: [web],
    gateways: new Map([
      [1, { address: '192.0.2.1', link: 'wan1', present: true }],
      [3, { address: '198.51.100.1', link: 'wan2', present: true }],
    ]),
    findRoute: ({ server }, fwmark) => {
      if (server === '10.0.0.1') return route(server, 'lan0', { type: 'local' });
      if (server.startsWith('10.')) return route('10.0.0.0/8', 'lan0');
      return fwmark === 0
        ? route('default', 'wan1', { via: '192.0.2.1' })
        : route('default', 'lvsj0', { type: 'director' });
    },
    findLink: (address) =>
      ({
        '10.0.0.1': { link: 'lan0', local: true },
        '10.0.0.5': { link: 'lan0', local: false },
        '203.0.113.9': { link: 'wan2', local: false },
      })[address],
    readDomains: () => [],
    readSlots: () => [slot(3, { weight: 0 }), slot(1, { active: 2 })],
    dryRun: ({ fwmark }) => {
      const none = { verdict: 'no_service', reason: '', gateway: 0 };
      const chosen = { verdict: 'new', reason: 'scheduler', gateway: 1 };
      return { ...(fwmark === 0 ? none : chosen), ...answer };
    },
    ...rest,
  };
}
