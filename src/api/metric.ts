// A registry that is filled with metric after metric, values and all.

import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { Family } from '../model/table.ts';

export type Labels = Record<string, string>;
/** One series: its labels and its value now. */
export type Series = [labels: Labels, value: number];

/** Of one series: how many values there were up to each bound, and what all of them add up to. */
export interface Distribution {
  labels: Labels;
  upTo: [bound: number, count: number][];
  count: number;
  sum: number;
}

const prefix = 'lvsj_';

export const familyLabel = (family: Family): string => `ipv${family}`;

/** in: LAN to internet, as IPVS counts; up and down as a line's capacity is told. */
export const directed = (labels: Labels, inward: number, outward: number): Series[] => [
  [{ ...labels, direction: 'up' }, inward],
  [{ ...labels, direction: 'down' }, outward],
];

/** A metric without series is left out: of one without labels prom-client would say 0. */
export class Metrics {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What goes up and down. */
  gauge(name: string, help: string, series: readonly Series[]): void {
    if (series.length === 0) return;
    const gauge = new Gauge(this.#options(name, help, series));
    for (const [labels, value] of series) gauge.set(labels, value);
  }

  /** What only grows while what it counts is there; `_total` is added. */
  counter(name: string, help: string, series: readonly Series[]): void {
    if (series.length === 0) return;
    const counter = new Counter(this.#options(`${name}_total`, help, series));
    for (const [labels, value] of series) counter.inc(labels, value);
  }

  /** prom-client's own counts values one by one; these are counted already. */
  histogram(name: string, help: string, series: readonly Distribution[]): void {
    if (series.length === 0) return;
    const full = `${prefix}${name}`;
    const values = series.flatMap(({ labels, upTo, count, sum }) => [
      ...[...upTo, ['+Inf', count] as const].map(([bound, value]) => ({
        metricName: `${full}_bucket`,
        labels: { le: String(bound), ...labels },
        value,
      })),
      { metricName: `${full}_sum`, labels, value: sum },
      { metricName: `${full}_count`, labels, value: count },
    ]);
    const metric = { name: full, help, type: 'histogram', values, aggregator: 'sum' };
    // All that a registry asks of one.
    const asked = { name: full, get: async () => metric } as unknown as Metric;
    this.#registry.registerMetric(asked);
  }

  #options(name: string, help: string, series: readonly Series[]) {
    const labelNames = Object.keys(series[0]?.[0] ?? {});
    return { name: `${prefix}${name}`, help, labelNames, registers: [this.#registry] };
  }
}
