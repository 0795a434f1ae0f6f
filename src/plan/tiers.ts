// A service's tiers: to the director each is a service of its own, with a list and a scheduler of its own.

import type { Service } from '../model/table.ts';

/** One tier: its service with the gateways of that tier alone. */
export interface TierService extends Service {
  /** From 0. */
  tier: number;
  /** How far they are counted: one beyond the last. */
  tiers: number;
}

/** The first one always, it stands for the service; of the others those that have gateways. */
export function splitTiers(service: Service): TierService[] {
  const lists = Map.groupBy(service.gateways, ({ tier }) => tier);
  const numbers = [...new Set([0, ...lists.keys()])].sort((a, b) => a - b);
  const tiers = (numbers.at(-1) ?? 0) + 1;
  return numbers.map((tier) => ({ ...service, gateways: lists.get(tier) ?? [], tier, tiers }));
}

/** What each of these tiers of a file is called: from 0, none left out. */
export function numberTiers(tiers: readonly number[]): Map<number, number> {
  const sorted = [...new Set(tiers)].sort((a, b) => a - b);
  return new Map(sorted.map((tier, i) => [tier, i]));
}
