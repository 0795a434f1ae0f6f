// The rules of the configuration with what nftables counts of each.

import type { Applied } from '../model/applied.ts';
import type { RuleState } from '../model/state.ts';
import { counterName } from '../plan/nft-rules.ts';
import { readCounters } from './nft.ts';

/** In the order in which they are asked. */
export function readRuleStates(applied: Applied | undefined): RuleState[] {
  const rules = applied?.config.rules ?? [];
  if (rules.length === 0) return [];
  const counters = readCounters();
  return rules.map(({ name, at, service }) => {
    const { packets = 0, bytes = 0 } = counters.get(counterName(name)) ?? {};
    return { name, at, service, packets, bytes };
  });
}
