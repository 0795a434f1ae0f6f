// What lies beside the director in the kernel: the configuration that is applied, and what was told since.

import type { Config } from './config.ts';
import { type GatewayHealth, isDown, well } from './health.ts';
import type { ConfigObjects } from './objects.ts';
import type { AdminState } from './state.ts';
import type { Family } from './table.ts';

/** Connections that leave a service's lower tiers, for a gateway above takes some again. Seconds of CLOCK_MONOTONIC. */
export interface Leave {
  fwmark: number;
  family: Family;
  /** The gateway's, as in the file: those below leave. */
  tier: number;
  /** Those that began until then. */
  beganS: number;
  dueS: number;
}

export interface Applied {
  config: Config;
  /** Where it came from; shown only. */
  file: string;
  /** Counts the configurations that this director had, from 1. */
  generation: number;
  /** ISO 8601. */
  appliedAt: string;
  /** By gateway; who is not here is enabled. */
  admin: Record<string, AdminState>;
  /** By gatewayKey: ids that the names have, so that a gateway keeps its id whatever its next hop becomes. */
  gatewayIds: Record<string, number>;
  /** By gatewayKey: why no new connection can go there, in words; who is not here can have some. */
  unavailable: Record<string, string>;
  /** By gatewayKey: what the monitor found last; who is not here is up, or nobody watches it. */
  health: Record<string, GatewayHealth>;
  /** Not due yet: see src/plan/failback.ts. */
  leaves: Leave[];
  /** What the configuration adds to the kernel's objects. */
  objects: ConfigObjects;
  /** What our nftables table looked like when it was made: see readNftDigest. */
  nftDigest: string;
  /** What comes back unless somebody confirms in time. */
  unconfirmed: { by: string; config: Config | null; file: string } | null;
}

/** A gateway's name and family: it has an id for each. */
export const gatewayKey = (name: string, family: Family): string => `${name}/${family}`;

/** What the monitor found of a gateway; key: gatewayKey. */
export const healthOf = (applied: Pick<Applied, 'health'> | undefined, key: string) =>
  applied?.health[key] ?? well;

/** Why no new connection can go to a gateway, in words; '' if one can; undefined where nothing is known. */
export function unavailableOf(
  applied: Pick<Applied, 'health' | 'unavailable'> | undefined,
  key: string,
): string | undefined {
  const { health, reason } = healthOf(applied, key);
  return applied?.unavailable[key] ?? (isDown(health) ? reason : undefined);
}

/** What an admin told a gateway of this name. */
export const adminOf = (admin: Applied['admin'], name: string): AdminState =>
  Object.hasOwn(admin, name) ? (admin[name] as AdminState) : 'enabled';
