// A configuration as it is applied, for tests of what reads it: two gateways on the bed's links, one
// that waits for its next hop, and a service of all of them.

import type { Applied } from '../../src/model/applied.ts';
import type { Config, GatewayConfig, RuleConfig, Via } from '../../src/model/config.ts';
import { defaultMonitor, defaultPolicy } from '../../src/model/monitor.ts';
import { noConfigObjects } from '../../src/model/objects.ts';
import type { Family } from '../../src/model/table.ts';
import { gatewayAddress } from './service.ts';

function gateway(name: string, link: string, via: Partial<Record<Family, Via>>): GatewayConfig {
  const snat = {
    4: { kind: 'masquerade' },
    6: { kind: 'npt', prefix: '2001:db8:1::/64' },
  } as const;
  return {
    name,
    link,
    via,
    snat,
    mtu: 0,
    capacity: { down: 0, up: 0 },
    monitor: defaultMonitor,
    resolvers: [],
  };
}

const address = (number: number, family: Family = 4): Via => ({
  kind: 'address',
  address: gatewayAddress(number, family),
});

export function rule(name: string, service: string, at: string): RuleConfig {
  const lists = { from: [], to: [], protocols: [], sport: [], dport: [], dscp: [], links: [] };
  return { name, at, ...lists, nft: '', service };
}

export const config: Config = {
  ...{ lan: [], router: '', connections: 4096, markMask: 0xff000000 },
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  settings: {},
  api: { group: '', metricsListen: '', metricsTokenFile: '' },
  gateways: [
    gateway('fiber', 'wan1', { 4: address(1), 6: address(1, 6) }),
    { ...gateway('dsl', 'wan3', { 4: { kind: 'auto' } }), capacity: { down: 16e6, up: 1e6 } },
    gateway('lte', 'wan2', { 4: address(101) }),
    // Its provider has no IPv6.
    gateway('cable', 'wan1', { 4: { kind: 'auto' }, 6: { kind: 'auto' } }),
  ],
  services: [
    {
      ...{ name: 'web', fwmark: 1, scheduler: 'wlc', schedulerFlags: [], persistence: 60 },
      ...{ persistenceKey: 'source', netmask: { 4: 24, 6: 128 }, onePacket: false },
      ...defaultPolicy,
      gateways: ['fiber', 'dsl', 'lte'].map((name, i) => ({
        ...{ gateway: name, weight: 3 - i, upper: 0, lower: 0, tier: 1 },
      })),
    },
  ],
  sets: [],
  hooks: [],
  rules: [rule('https', 'web', 'lvsj.yaml:30'), rule('the rest', 'main', 'lvsj.yaml:31')],
};

/** ids: by gatewayKey. */
export const applied = (ids: Record<string, number>): Applied => ({
  ...{ config, file: 'lvsj.yaml', generation: 3, appliedAt: '2026-11-25T03:40:12.345Z' },
  admin: { lte: 'drained' },
  gatewayIds: ids,
  unavailable: { 'dsl/4': 'no default route on wan3' },
  health: {},
  leaves: [],
  ...{ objects: noConfigObjects, nftDigest: '', unconfirmed: null },
});
