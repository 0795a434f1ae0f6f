// What a plan changes, in words, and what it costs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { after, config, inService, nothing } from '../../test/planned.ts';
import type { Config, HookConfig, ProbeConfig } from '../model/config.ts';
import { defaultMonitor } from '../model/monitor.ts';
import type { Table } from '../model/table.ts';
import { describePlan } from './describe.ts';
import { planConfig } from './plan.ts';

describe('what a plan changes', () => {
  const first = planConfig(config, {}, nothing);
  const busy: Table = {
    ...first.table,
    services: first.table.services.map((service) => ({
      ...service,
      gateways: service.gateways.map((g) => ({ ...g, active: 2, inactive: 1 })),
    })),
  };
  const applied = { config, file: '', generation: 1, appliedAt: '', admin: {}, unavailable: {} };
  const tell = (next: Config) => {
    const have = { ...after(first), table: busy };
    const plan = planConfig(next, {}, have);
    const before = {
      ...applied,
      ...have.applied!,
      nftDigest: '',
      unconfirmed: null,
      health: {},
      leaves: [],
    };
    return describePlan({ config: next, applied: before, have: busy, plan, repairs: [] });
  };

  test('is nothing where nothing changed', () => {
    assert.deepEqual(tell(config), { changes: [], connections: { total: 6, move: 0, cut: 0 } });
  });

  test('is told with what it costs', () => {
    const [web] = config.services;
    const next = {
      ...config,
      services: [{ ...web!, scheduler: 'wlc', gateways: [inService('fiber', 1)] }],
    };
    const { changes, connections } = tell(next);
    assert.deepEqual(
      changes.map(({ verb, what, detail }) => `${verb} ${what}: ${detail}`),
      [
        'change service web (IPv4): scheduler wrr -> wlc',
        'change service web (IPv4): gateway fiber: weight 3 -> 1',
        'remove service web (IPv4): gateway lte: 3 connections lose it',
      ],
    );
    assert.deepEqual(connections, { total: 6, move: 0, cut: 3 });
  });

  const lines = (next: Config): string[] =>
    tell(next).changes.map(({ verb, what, detail }) => `${verb} ${what}: ${detail}`);

  test('is told in words where a gateway is watched in another way, and changes nothing else', () => {
    const probes: ProbeConfig[] = [
      { kind: 'ping', address: '198.51.100.7' },
      { kind: 'tcp', address: '198.51.100.7', port: 443 },
      { kind: 'dns', address: '198.51.100.7', port: 53, name: 'a.example' },
      { kind: 'http', url: 'http://a.example/', status: [200, 204], body: 'right' },
      { kind: 'command', command: ['/bin/probe', '-x'] },
      { kind: 'bfd' },
    ];
    const [fiber, lte] = config.gateways;
    const monitor = {
      ...defaultMonitor,
      probes,
      timeoutMs: 1500,
      hold: { first: 5000, most: 5000 },
    };
    const limits = { loss: { down: 20, up: 5 }, latency: { down: 300, up: 150 } };
    const next = { ...config, gateways: [{ ...fiber!, monitor: { ...monitor, ...limits } }, lte!] };
    assert.deepEqual(lines(next), [
      'change gateway fiber: monitor probes neighbour -> ping 198.51.100.7, tcp 198.51.100.7 port 443, ' +
        'dns a.example of 198.51.100.7, http http://a.example/ 200 or 204 with "right", command /bin/probe -x, bfd, ' +
        'monitor timeout 500ms -> 1500ms, monitor loss none -> 20% down, 5% up, ' +
        'monitor latency none -> 300ms down, 150ms up, monitor hold 1s to 60s -> 5s',
    ]);
    const plan = planConfig(next, {}, after(first));
    assert.deepEqual([plan.table, plan.objects], [first.table, first.objects]);
  });

  test('is told where hooks, resolvers or what becomes of connections are others', () => {
    const [fiber, lte] = config.gateways;
    const [web] = config.services;
    const hook: HookConfig = { on: ['down', 'up'], command: ['/bin/tell', 'me'], timeoutMs: 500 };
    const next: Config = {
      ...config,
      gateways: [{ ...fiber!, resolvers: ['192.0.2.53', '192.0.2.54'] }, lte!],
      services: [
        {
          ...web!,
          onDown: { action: 'reset', idle: true },
          failback: { kind: 'drain', seconds: 60 },
        },
      ],
      hooks: [hook],
    };
    const told = lines(next).filter((line) => !line.includes('(IPv4)'));
    assert.deepEqual(told, [
      'change gateway fiber: resolvers none -> 192.0.2.53, 192.0.2.54',
      'change service web: idle connections none -> reset at once, lower tiers are left none -> after 60s',
      'add hook /bin/tell me at down, up: ',
    ]);
  });
});
