// Metrics of the director as a whole: its table, verdicts and configuration.

import type { FastpathState, StatusState } from '../model/state.ts';
import type { Metrics, Series } from './metric.ts';

const fastpathStates: FastpathState[] = ['off', 'unwatched', 'careful', 'on'];

export function addDirectorMetrics(metrics: Metrics, status: StatusState): void {
  const { connections, verdicts, fastpath } = status;
  metrics.gauge('connections', 'Connections and persistence templates in the table.', [
    [{}, connections.now],
  ]);
  metrics.gauge('connections_limit', 'Most entries that the table holds.', [
    [{}, connections.limit],
  ]);
  const series = Object.entries(verdicts).flatMap(([hook, counts]) =>
    Object.entries(counts).map(([verdict, packets]): Series => [{ hook, verdict }, packets]),
  );
  metrics.counter('verdict_packets', 'Packets by program and by how they left it.', series);
  metrics.gauge(
    'fastpath_state',
    '1 for what is so of the fast path, 0 for the others.',
    fastpathStates.map((state): Series => [{ state }, state === fastpath ? 1 : 0]),
  );
}

export function addConfigMetrics(metrics: Metrics, { config, daemon }: StatusState): void {
  metrics.gauge(
    'config_generation',
    'Number of the applied configuration.',
    config ? [[{}, config.generation]] : [],
  );
  metrics.gauge(
    'config_last_reload_success_timestamp_seconds',
    'When the applied configuration was applied.',
    config ? [[{}, Date.parse(config.appliedAt) / 1000]] : [],
  );
  metrics.gauge(
    'config_last_reload_successful',
    '0 while the newest configuration is refused and an older one holds.',
    daemon ? [[{}, daemon.error === '' ? 1 : 0]] : [],
  );
  metrics.gauge(
    'config_unconfirmed',
    '1 while the configuration goes away again unless somebody confirms it.',
    config ? [[{}, config.confirmBy === null ? 0 : 1]] : [],
  );
}
