// The state as Prometheus metrics. Pure: each scrape makes its registry from one look at the state,
// so that its numbers belong together and what is gone leaves no series behind.

import { Registry } from 'prom-client';
import { Metrics } from './metric.ts';
import { addConfigMetrics, addDirectorMetrics } from './metrics-director.ts';
import { addGatewayMetrics } from './metrics-gateway.ts';
import { addRuleMetrics, addServiceMetrics } from './metrics-service.ts';
import type { Store } from './store.ts';

/** A reader without a daemon has these too. */
export type MetricsSource = Pick<Store, 'status' | 'gateways' | 'services' | 'rules'>;

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

export function buildMetrics(source: MetricsSource, version: string): Registry {
  const registry = new Registry();
  const metrics = new Metrics(registry);
  const status = source.status();
  metrics.gauge('build_info', 'Always 1; the version of lvsj is a label.', [[{ version }, 1]]);
  addDirectorMetrics(metrics, status);
  addConfigMetrics(metrics, status);
  addGatewayMetrics(metrics, source.gateways());
  addServiceMetrics(metrics, source.services());
  addRuleMetrics(metrics, source.rules());
  return registry;
}

/** Prometheus's text format 0.0.4. */
export const formatMetrics = async (source: MetricsSource, version: string): Promise<string> =>
  await buildMetrics(source, version).metrics();
