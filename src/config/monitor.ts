// The form of a gateway's monitor: what it asks, and when an answer is believed.

import * as z from 'zod';
import type { GatewayConfig, MonitorConfig, ProbeConfig } from '../model/config.ts';
import { defaultMonitor } from '../model/monitor.ts';
import { duration, oneOf, whole } from './leaves.ts';
import { families } from './prefix.ts';
import { probe } from './probe.ts';
import { leaf, object } from './shape.ts';

const mostRounds = 1000;
const rounds = whole(1, mostRounds);
const usual = defaultMonitor;

/** As one writes it. */
const seconds = (ms: number): string => `${ms / 1000}s`;

const percent = leaf({
  noun: 'a percentage above 0, such as 20%',
  json: { type: ['number', 'string'], pattern: '^\\d{1,3}(\\.\\d{1,2})?%?$' },
  read: (word) => {
    const share = /^\d{1,3}(\.\d{1,2})?%?$/.test(word) ? Number.parseFloat(word) : 0;
    return share > 0 && share <= 100 ? share : undefined;
  },
});

/** Down from one value on, up again below another; between them it stays as it is. */
const thresholds = (value: z.ZodType<number>) =>
  object({
    down: value.describe('Down from here on'),
    up: value.describe('Up again below this'),
  }).refine(({ down, up }) => up < down, { error: 'up must be below down', path: ['up'] });

const longestHold = '1d';
const held = duration('0ms', longestHold);

const hold = z.union([
  held.transform((always) => ({ first: always, most: always })),
  object({
    first: held.prefault(seconds(usual.hold.first)).describe('After the first failure'),
    most: held.optional().describe('After many'),
  })
    .refine(({ first, most = first }) => most >= first, {
      error: 'most is below first',
      path: ['most'],
    })
    .transform(({ first, most = Math.max(first, usual.hold.most) }) => ({ first, most })),
]);

const monitorMap = object({
  probes: z.array(probe).optional().describe('Whom it asks; the next hop, if left out'),
  interval: duration('10ms', '1h')
    .prefault(seconds(usual.intervalMs))
    .describe('Between two rounds of probes'),
  timeout: duration('10ms', '1m').optional().describe('How long a probe waits for its answer'),
  burst: duration('10ms', '1m').optional().describe('Between two rounds while it is suspect'),
  rise: rounds.prefault(usual.rise).describe('Rounds that make it up'),
  fall: rounds.prefault(usual.fall).describe('Rounds that make it down'),
  quorum: rounds.prefault(usual.quorum).describe('Probes of a round that must be answered'),
  window: rounds.prefault(usual.window).describe('Rounds that loss and latency are averages of'),
  loss: thresholds(percent).optional().describe('Share of probes that nobody answers'),
  latency: thresholds(duration('1ms', '1m')).optional().describe('Average round-trip time'),
  hold: hold
    .prefault({})
    .describe('How long it must be well before it is up; twice as long at each relapse'),
})
  .refine(({ burst = 0, interval }) => burst <= interval, {
    error: 'burst is longer than interval',
    path: ['burst'],
  })
  .transform(
    ({
      interval: intervalMs,
      timeout: timeoutMs = Math.min(intervalMs, usual.timeoutMs),
      burst: burstMs = Math.min(intervalMs, usual.burstMs),
      ...rest
    }) => ({ ...rest, intervalMs, timeoutMs, burstMs }),
  );

type Watch = Omit<MonitorConfig, 'probes'> & { probes?: ProbeConfig[] | undefined };

const { probes: _, ...unasked } = usual;

export const monitor = z.union([
  oneOf('none, or a map of probes', ['none']).transform((): Watch => ({ ...unasked, probes: [] })),
  monitorMap,
]);

/** Where nothing is said of probes, the next hop is asked; where the link itself is the way, nobody. */
export function buildMonitor(watch: Watch = unasked, via: GatewayConfig['via']): MonitorConfig {
  const hasNextHop = families.some((family) => via[family] && via[family].kind !== 'onlink');
  return { ...watch, probes: watch.probes ?? (hasNextHop ? usual.probes : []) };
}
