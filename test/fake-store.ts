// A Store of fixed values for tests of the API: one gateway that works, one that does not, one service, one rule.

import { pageConnections } from '../src/api/connections.ts';
import type { DirectorEvent, Planned, Store } from '../src/api/store.ts';
import type { Config } from '../src/model/config.ts';
import { well } from '../src/model/health.ts';
import { defaultMonitor, defaultPolicy } from '../src/model/monitor.ts';
import type { Problem } from '../src/model/problem.ts';
import type {
  AdminState,
  ConnectionState,
  GatewayState,
  RuleState,
  ServiceState,
  StatusState,
  TotalsState,
} from '../src/model/state.ts';
import { UserError } from '../src/util/error.ts';
import { noEvidence } from './states.ts';

/** Each field tells itself from the others. */
const totals = (first: number): TotalsState => ({
  connections: first,
  inPackets: first + 1,
  outPackets: first + 2,
  inBytes: first + 3,
  outBytes: first + 4,
});

export const fiber: GatewayState = {
  name: 'fiber',
  id: 1,
  family: 4,
  address: '192.0.2.1',
  link: 'eth1',
  present: true,
  admin: 'enabled',
  unavailable: '',
  health: well,
  snat: 'masquerade',
  capacity: { down: 800_000_000, up: 80_000_000, downAssumed: false, upAssumed: false },
  rate: { down: 1000, up: 2000 },
  connections: { active: 7, inactive: 3 },
  totals: totals(100),
  rttUs: 12_500,
  evidence: {
    ...{ syns: 90, synRepeats: 4, synAnswers: 88, asks: 10, askAnswers: 9, unreachables: 3 },
    // 100 us, 1, 16 and 100 ms, and more than 8.4 s.
    delays: Array.from({ length: 24 }, (_, i) => ({ 6: 1, 9: 30, 13: 40, 16: 5, 23: 1 })[i] ?? 0),
    delaysUs: 11_500_000,
  },
};

export const lte: GatewayState = {
  ...fiber,
  name: 'lte',
  id: 2,
  address: '203.0.113.1',
  link: 'eth2',
  admin: 'drained',
  unavailable: 'drained',
  health: {
    ...{ health: 'down', reason: '3 rounds failed', since: '2026-11-25T03:40:12.345Z' },
    incident: '5d2c8e01',
  },
  snat: '203.0.113.2',
  capacity: { down: 100_000_000, up: 100_000_000, downAssumed: true, upAssumed: true },
  connections: { active: 1, inactive: 0 },
  totals: totals(200),
  rttUs: null,
  evidence: noEvidence,
};

export const web: ServiceState = {
  name: 'web',
  family: 4,
  fwmark: 1,
  scheduler: 'wlc',
  schedulerFlags: [],
  persistence: 300,
  persistenceKey: 'source',
  netmask: '255.255.255.255',
  onePacket: false,
  ...{ onDown: 'reset', failback: 'stay', lastResort: 'main', fastpath: 'off' },
  gateways: [
    {
      gateway: 'fiber',
      address: '192.0.2.1',
      tier: 1,
      weight: 3,
      effectiveWeight: 3,
      upper: 0,
      lower: 0,
      active: 7,
      inactive: 3,
      persistent: 2,
      totals: totals(300),
      rates: totals(0),
    },
  ],
  totals: totals(400),
  rates: totals(0),
};

export const lanWeb: RuleState = {
  name: 'lan-web',
  at: '/etc/lvsj/lvsj.yaml:30',
  service: 'web',
  packets: 41,
  bytes: 2460,
};

export const connectionState = (fields: Partial<ConnectionState> = {}): ConnectionState => ({
  protocol: 6,
  family: 4,
  client: '10.0.0.1',
  clientPort: 40_000,
  server: '198.51.100.80',
  serverPort: 443,
  gateway: '192.0.2.1',
  gatewayPort: 443,
  state: 'ESTABLISHED',
  expires: 900,
  fwmark: 1,
  gatewayName: 'fiber',
  serviceName: 'web',
  age: 8,
  reason: 'scheduler',
  generation: 4,
  ...fields,
});

const toStatusGateway = ({ ...gateway }: GatewayState): StatusState['gateways'][number] => {
  const { name, id, address, link, present, admin, unavailable, health } = gateway;
  return { name, id, address, link, present, admin, unavailable, health };
};

export const status: StatusState = {
  connections: { now: 11, limit: 1_048_576 },
  markMask: '0xff000000',
  config: {
    file: '/etc/lvsj/lvsj.yaml',
    generation: 4,
    appliedAt: '2026-11-25T03:00:00.000Z',
    confirmBy: null,
  },
  daemon: { pid: 4711, error: '', needyRules: [] },
  fastpath: 'off',
  gateways: [fiber, lte].map(toStatusGateway),
  verdicts: { director: { new: 389, no_gateway: 2 }, ingress: { known: 5000 } },
};

export const config: Config = {
  lan: ['eth0'],
  router: '',
  connections: 1_048_576,
  markMask: 0xff000000,
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  settings: { conn_reuse_mode: 1 },
  api: { group: '', metricsListen: '', metricsTokenFile: '' },
  gateways: [
    {
      name: 'fiber',
      link: 'eth1',
      via: { 4: { kind: 'address', address: '192.0.2.1' } },
      snat: { 4: { kind: 'masquerade' }, 6: { kind: 'npt', prefix: '2001:db8::/64' } },
      mtu: 0,
      capacity: { down: 800_000_000, up: 80_000_000 },
      monitor: { ...defaultMonitor, probes: [{ kind: 'ping', address: '198.51.100.10' }] },
      resolvers: [],
    },
  ],
  services: [
    {
      name: 'web',
      fwmark: 1,
      scheduler: 'wlc',
      schedulerFlags: [],
      persistence: 300,
      persistenceKey: 'source',
      netmask: { 4: 32, 6: 128 },
      onePacket: false,
      ...defaultPolicy,
      gateways: [{ gateway: 'fiber', weight: 3, upper: 0, lower: 0, tier: 1 }],
    },
  ],
  hooks: [],
  sets: [{ name: 'office', prefixes: ['198.51.100.0/24'], domains: ['example.org'] }],
  rules: [
    {
      name: 'lan-web',
      at: '/etc/lvsj/lvsj.yaml:30',
      from: ['10.0.0.0/24'],
      to: ['@office'],
      protocols: [6],
      sport: [],
      dport: [[80, 443]],
      dscp: [],
      links: [],
      nft: '',
      service: 'web',
    },
  ],
};

export const problemOf = (file: string): Problem => ({
  severity: 'error',
  file,
  line: 2,
  column: 3,
  key: 'gateways.fiber.vai',
  reason: 'unknown key "vai"',
  hint: 'did you mean "via"?',
});

/** What the fake makes of a text: `bad` in it is refused. */
const planOf = (text: string, file: string): Planned =>
  text.includes('bad')
    ? { problems: [problemOf(file)] }
    : {
        plan: {
          changes: [{ verb: 'change', what: 'service web', detail: 'weight 3 -> 1' }],
          connections: { total: 11, move: 0, cut: 0 },
        },
        warnings: [{ ...problemOf(file), severity: 'warning' }],
      };

export interface FakeStore extends Store {
  /** What writers were called with, in order. */
  calls: unknown[][];
  emit(event: DirectorEvent): void;
  listeners: Set<(event: DirectorEvent) => void>;
}

/** fields: readers and writers of its own. */
export function fakeStore(fields: Partial<Store> = {}): FakeStore {
  const calls: unknown[][] = [];
  const listeners: FakeStore['listeners'] = new Set();
  return {
    calls,
    listeners,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    status: () => status,
    daemon: () => ({ pid: 4711, error: '', needyRules: [] }),
    gateways: () => [fiber, lte],
    services: () => [web],
    rules: () => [lanWeb],
    connections: (filter, page) => pageConnections([connectionState()], filter, page),
    config: () => config,
    plan: async (...args) => planOf(...args),
    apply: async (...args) => {
      calls.push(['apply', ...args]);
      return planOf(args[0], args[1]);
    },
    confirm: async () => {
      throw new UserError('confirm: no configuration waits to be confirmed');
    },
    reload: async () => planOf('', '/etc/lvsj/lvsj.yaml'),
    setAdmin: async (gateway: string, admin: AdminState) => {
      calls.push(['setAdmin', gateway, admin]);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...fields,
  };
}
