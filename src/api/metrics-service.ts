// Metrics of services, of the gateways of each, and of rules.

import type { RuleState, ServiceGatewayState, ServiceState, TotalsState } from '../model/state.ts';
import { directed, familyLabel, type Labels, type Metrics, type Series } from './metric.ts';

const labelsOf = ({ name, fwmark, family }: ServiceState): Labels => ({
  service: name || `fwmark ${fwmark}`,
  family: familyLabel(family),
});

interface Counted {
  labels: Labels;
  totals: TotalsState;
}

/** what: `service`, or a gateway of one. */
function addTotals(metrics: Metrics, what: string, counted: readonly Counted[]): void {
  metrics.counter(
    `${what}_scheduled_connections`,
    'Connections that were scheduled.',
    counted.map(({ labels, totals }) => [labels, totals.connections]),
  );
  metrics.counter(
    `${what}_packets`,
    'Packets to the internet (up) and from it (down).',
    counted.flatMap(({ labels, totals }) => directed(labels, totals.inPackets, totals.outPackets)),
  );
  metrics.counter(
    `${what}_bytes`,
    'Bytes of IP packets to the internet (up) and from it (down).',
    counted.flatMap(({ labels, totals }) => directed(labels, totals.inBytes, totals.outBytes)),
  );
}

type Slot = ServiceGatewayState & { labels: Labels };

export function addServiceMetrics(metrics: Metrics, services: readonly ServiceState[]): void {
  metrics.gauge(
    'service_info',
    'Always 1; what is known of the service, as labels.',
    services.map((service) => [
      { ...labelsOf(service), fwmark: String(service.fwmark), scheduler: service.scheduler },
      1,
    ]),
  );
  const counted = services.map((service) => ({ ...service, labels: labelsOf(service) }));
  addTotals(metrics, 'service', counted);
  const slots = services.flatMap((service) =>
    service.gateways.map((slot) => ({
      ...slot,
      labels: { ...labelsOf(service), gateway: slot.gateway || slot.address },
    })),
  );
  addSlotStates(metrics, slots);
  addTotals(metrics, 'service_gateway', slots);
}

function addSlotStates(metrics: Metrics, slots: readonly Slot[]): void {
  const each = (series: (slot: Slot) => Series[]): Series[] => slots.flatMap(series);
  metrics.gauge(
    'service_gateway_weight',
    'As configured.',
    each(({ labels, weight }) => [[labels, weight]]),
  );
  metrics.gauge(
    'service_gateway_effective_weight',
    'As the scheduler sees it: 0 while the gateway is drained or not available.',
    each(({ labels, effectiveWeight }) => [[labels, effectiveWeight]]),
  );
  metrics.gauge(
    'service_gateway_tier',
    'From 1: used only while all tiers above, those of lower numbers, are down or full.',
    each(({ labels, tier }) => [[labels, tier]]),
  );
  metrics.gauge(
    'service_gateway_connections',
    'Connections of the service that the gateway has.',
    each(({ labels, active, inactive }) => [
      [{ ...labels, state: 'active' }, active],
      [{ ...labels, state: 'inactive' }, inactive],
    ]),
  );
  metrics.gauge(
    'service_gateway_templates',
    'Persistence templates of the service that point to the gateway.',
    each(({ labels, persistent }) => [[labels, persistent]]),
  );
}

export function addRuleMetrics(metrics: Metrics, rules: readonly RuleState[]): void {
  metrics.counter(
    'rule_packets',
    'First packets of connections that the rule decided.',
    rules.map(({ name, service, packets }) => [{ rule: name, service }, packets]),
  );
  metrics.counter(
    'rule_bytes',
    'Bytes of the first packets of connections that the rule decided.',
    rules.map(({ name, service, bytes }) => [{ rule: name, service }, bytes]),
  );
}
