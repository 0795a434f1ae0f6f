// Why a connection goes to a gateway of its tier, and not to one of another.

import type { Candidate } from '../model/explanation.ts';
import type { Service } from '../model/table.ts';

export interface Choice {
  /** How the gateway was chosen: see Decision. */
  reason: string;
  service: Pick<Service, 'scheduler' | 'failback'> | undefined;
}

type Unpassed = Omit<Candidate, 'passed'>;

function whyPassed({ tier, refused }: Unpassed, taker: number, { reason, service }: Choice) {
  if (tier === taker) return '';
  if (tier > taker) return `not asked: tier ${taker} takes it`;
  if (reason === 'template' && service?.failback === 'stay')
    return `not asked: who is on tier ${taker} stays there`;
  return refused === '' ? `asked in vain: the one that ${service?.scheduler} picks is refused` : '';
}

/** The first tier first. */
export function explainTiers(candidates: readonly Unpassed[], choice: Choice): Candidate[] {
  const taker = candidates.find(({ chosen }) => chosen)?.tier;
  return candidates
    .map((each) => ({
      ...each,
      passed: taker === undefined ? '' : whyPassed(each, taker, choice),
    }))
    .sort((a, b) => a.tier - b.tier);
}
