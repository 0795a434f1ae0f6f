// States as the kernel's readers return them, for tests of what is made of them: each with its defaults.

import type { EvidenceState } from '../src/model/evidence.ts';
import { well } from '../src/model/health.ts';
import type {
  ConnectionState,
  GatewayState,
  ServiceGatewayState,
  ServiceState,
  TotalsState,
} from '../src/model/state.ts';

export const noTotals: TotalsState = {
  ...{ connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 },
};

export const noEvidence: EvidenceState = {
  ...{ syns: 0, synRepeats: 0, synAnswers: 0, asks: 0, askAnswers: 0, unreachables: 0 },
  ...{ delays: Array.from({ length: 24 }, () => 0), delaysUs: 0 },
};

/** Of the configuration, enabled and idle; its capacity was not told. */
export const gatewayState = (given: Partial<GatewayState> = {}): GatewayState => ({
  ...{ name: 'fiber', id: 1, family: 4, address: '192.0.2.1', link: 'eth1', present: true },
  ...{ admin: 'enabled', unavailable: '', health: well, snat: 'masquerade' },
  capacity: { down: 1e8, up: 1e8, downAssumed: true, upAssumed: true },
  rate: { down: 0, up: 0 },
  connections: { active: 0, inactive: 0 },
  totals: noTotals,
  rttUs: null,
  evidence: noEvidence,
  ...given,
});

export const serviceGatewayState = (
  given: Partial<ServiceGatewayState> = {},
): ServiceGatewayState => ({
  ...{ gateway: 'fiber', address: '192.0.2.1', tier: 1, weight: 1, effectiveWeight: 1 },
  ...{ upper: 0, lower: 0 },
  ...{ active: 0, inactive: 0, persistent: 0, totals: noTotals, rates: noTotals },
  ...given,
});

export const serviceState = (given: Partial<ServiceState> = {}): ServiceState => ({
  ...{ name: 'web', family: 4, fwmark: 1, scheduler: 'wlc', schedulerFlags: [], persistence: 0 },
  ...{ persistenceKey: 'source', netmask: '255.255.255.255', onePacket: false },
  ...{ onDown: 'keep', failback: 'stay', lastResort: 'main', fastpath: 'off' },
  ...{ gateways: [serviceGatewayState()], totals: noTotals, rates: noTotals },
  ...given,
});

export const connectionState = (given: Partial<ConnectionState> = {}): ConnectionState => ({
  ...{ protocol: 6, family: 4, client: '10.0.0.11', clientPort: 40312 },
  ...{ server: '198.51.100.10', serverPort: 443, gateway: '192.0.2.1', gatewayPort: 443 },
  ...{ state: 'ESTABLISHED', expires: 892, fwmark: 1, age: 8, reason: 'scheduler', generation: 1 },
  ...{ gatewayName: 'fiber', serviceName: 'web' },
  ...given,
});
