// Metrics of the gateways.

import type { Health } from '../model/health.ts';
import type { AdminState, GatewayState } from '../model/state.ts';
import { directed, familyLabel, type Labels, type Metrics, type Series } from './metric.ts';

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
  addGatewayTraffic(metrics, each);
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
