// What holds where a configuration says nothing of failures.

import type { MonitorConfig, ServiceConfig } from './config.ts';

/** The next hop is asked, nobody beyond it. */
export const defaultMonitor: MonitorConfig = {
  probes: [{ kind: 'neighbour' }],
  intervalMs: 1000,
  timeoutMs: 500,
  burstMs: 100,
  rise: 3,
  fall: 3,
  quorum: 1,
  window: 20,
  hold: { first: 1000, most: 60_000 },
};

export const defaultPolicy: Pick<ServiceConfig, 'onDown' | 'failback' | 'lastResort'> = {
  onDown: { action: 'reset', idle: false },
  failback: { kind: 'stay' },
  lastResort: 'main',
};
