// Metrics of the gateways.

import type { EvidenceState } from '../model/evidence.ts';
import type { Health } from '../model/health.ts';
import type { AdminState, GatewayState } from '../model/state.ts';
import {
  type Distribution,
  directed,
  familyLabel,
  type Labels,
  type Metrics,
  type Series,
} from './metric.ts';

const healths: Health[] = ['up', 'suspect', 'down', 'recovering'];
const adminStates: AdminState[] = ['enabled', 'drained', 'disabled'];

const labelsOf = ({ name, address, family }: GatewayState): Labels => ({
  gateway: name || address,
  family: familyLabel(family),
});

/** Series end with their gateway. One of the configuration that has no next hop now is there, and not available. */
export function addGatewayMetrics(metrics: Metrics, all: readonly GatewayState[]): void {
  const gateways = all.filter(({ present, name }) => present || name !== '');
  const each = (series: (gateway: GatewayState, labels: Labels) => Series[]): Series[] =>
    gateways.flatMap((gateway) => series(gateway, labelsOf(gateway)));
  addGatewayStates(metrics, each);
  addGatewayHealth(metrics, each);
  addGatewayTraffic(metrics, each);
  addGatewayEvidence(metrics, each);
  metrics.histogram(
    'gateway_answer_seconds',
    'Time from SYN to SYN-ACK, of SYNs that were sent once.',
    gateways.map((gateway) => toDistribution(gateway.evidence, labelsOf(gateway))),
  );
}

type Each = (series: (gateway: GatewayState, labels: Labels) => Series[]) => Series[];

function addGatewayStates(metrics: Metrics, each: Each): void {
  metrics.gauge(
    'gateway_info',
    'Always 1; what is known of the gateway, as labels.',
    each(({ id, address, link, snat }, labels) => [
      [{ ...labels, id: String(id), address, link, snat }, 1],
    ]),
  );
  metrics.gauge(
    'gateway_available',
    '1 if new connections can go to the gateway.',
    each(({ unavailable }, labels) => [[labels, unavailable === '' ? 1 : 0]]),
  );
  metrics.gauge(
    'gateway_admin_state',
    '1 for the state that an admin gave the gateway, 0 for the others.',
    each(({ admin }, labels) =>
      adminStates.map((state) => [{ ...labels, state }, state === admin ? 1 : 0]),
    ),
  );
  metrics.gauge(
    'gateway_capacity_bytes_per_second',
    'What the line carries; no series where nobody told.',
    each(({ capacity }, labels) => [
      ...(capacity.upAssumed ? [] : [[{ ...labels, direction: 'up' }, capacity.up / 8] as Series]),
      ...(capacity.downAssumed
        ? []
        : [[{ ...labels, direction: 'down' }, capacity.down / 8] as Series]),
    ]),
  );
}

function addGatewayHealth(metrics: Metrics, each: Each): void {
  metrics.gauge(
    'gateway_health_state',
    '1 for the health that the monitor found of the gateway, 0 for the others.',
    each(({ health: { health } }, labels) =>
      healths.map((state) => [{ ...labels, state }, state === health ? 1 : 0]),
    ),
  );
  metrics.gauge(
    'gateway_incident_info',
    'Always 1; the incident that the gateway is in, as in log, events and hooks; no series where there is none.',
    each(({ health: { incident } }, labels) =>
      incident === '' ? [] : [[{ ...labels, incident }, 1]],
    ),
  );
}

function addGatewayTraffic(metrics: Metrics, each: Each): void {
  metrics.gauge(
    'gateway_connections',
    'Connections that the gateway has.',
    each(({ connections }, labels) => [
      [{ ...labels, state: 'active' }, connections.active],
      [{ ...labels, state: 'inactive' }, connections.inactive],
    ]),
  );
  metrics.gauge(
    'gateway_rtt_seconds',
    'Average time from SYN to SYN-ACK; no series while it is not known.',
    each(({ rttUs }, labels) => (rttUs === null ? [] : [[labels, rttUs / 1e6]])),
  );
  metrics.counter(
    'gateway_scheduled_connections',
    'Connections that the gateway was given.',
    each(({ totals }, labels) => [[labels, totals.connections]]),
  );
  metrics.counter(
    'gateway_packets',
    'Packets to the internet (up) and from it (down).',
    each(({ totals }, labels) => directed(labels, totals.inPackets, totals.outPackets)),
  );
  metrics.counter(
    'gateway_bytes',
    'Bytes of IP packets to the internet (up) and from it (down).',
    each(({ totals }, labels) => directed(labels, totals.inBytes, totals.outBytes)),
  );
}

function addGatewayEvidence(metrics: Metrics, each: Each): void {
  const byProtocol = (labels: Labels, tcp: number, other: number): Series[] => [
    [{ ...labels, protocol: 'tcp' }, tcp],
    [{ ...labels, protocol: 'other' }, other],
  ];
  metrics.counter(
    'gateway_asking_connections',
    'Connections whose first packet went to the gateway and waits for an answer, or had one.',
    each(({ evidence }, labels) => byProtocol(labels, evidence.syns, evidence.asks)),
  );
  metrics.counter(
    'gateway_answered_connections',
    'Those of them that were answered.',
    each(({ evidence }, labels) => byProtocol(labels, evidence.synAnswers, evidence.askAnswers)),
  );
  metrics.counter(
    'gateway_repeated_syn_packets',
    'SYNs that were sent again because nobody had answered.',
    each(({ evidence }, labels) => [[labels, evidence.synRepeats]]),
  );
  metrics.counter(
    'gateway_unreachable_packets',
    'ICMP errors about connections of the gateway that say that there is no way.',
    each(({ evidence }, labels) => [[labels, evidence.unreachables]]),
  );
}

/** Below it lies the LAN: 2^8 microseconds. */
const firstPlace = 7;

/** The last place has no upper bound. */
function toDistribution({ delays, delaysUs }: EvidenceState, labels: Labels): Distribution {
  let count = 0;
  const upTo: Distribution['upTo'] = [];
  for (const [place, each] of delays.entries()) {
    count += each;
    if (place >= firstPlace && place < delays.length - 1)
      upTo.push([2 ** (place + 1) / 1e6, count]);
  }
  return { labels, upTo, count, sum: delaysUs / 1e6 };
}
