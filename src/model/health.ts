// What the monitor makes of a gateway, and how a gateway's failure is told everywhere.

import type { Family } from './table.ts';

/**
 * `suspect`: still takes connections, but is asked hard; `recovering`: takes none yet, though it
 * answers again.
 */
export type Health = 'up' | 'suspect' | 'down' | 'recovering';

/** Takes no new connection: the gateway's map entry has GATEWAY_DOWN. */
export const isDown = (health: Health): boolean => health === 'down' || health === 'recovering';

/** What is said of a gateway of which nothing bad was ever found. */
export const well: GatewayHealth = { health: 'up', reason: '', since: '', incident: '' };

export interface GatewayHealth {
  health: Health;
  /** Why, in words: `link eth1 has no carrier`, `2 of 2 probes fail: …`; '' while it is up. */
  reason: string;
  /** ISO 8601: since when it is so; '' = since somebody watches. */
  since: string;
  /** One id from the first suspicion to the recovery, in log, events, hooks and metrics; '' = none. */
  incident: string;
}

/** A gateway came to another health. */
export interface HealthChange extends GatewayHealth {
  /** Of the configuration. */
  name: string;
  family: Family;
  link: string;
  /** Its number in marks. */
  id: number;
  from: Health;
}
