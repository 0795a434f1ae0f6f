// Who else uses which bits of the mark: policy rules, nftables, iptables. For lvsj doctor, and for the
// check of a configuration before it is applied.

import type { Facts, FirewallFacts } from '../model/facts.ts';
import { isOurs } from '../plan/objects.ts';
import { readFirewall } from './firewall.ts';
import { ownerOf } from './owners.ts';
import type { MarkUse, Place } from './rule.ts';

export interface ForeignMark extends MarkUse {
  /** The rule, as its program has it. */
  where: string;
  /** Who is known for it; '' if nobody. */
  owner: string;
  /** Of a firewall's rule: where packets meet it. */
  places: Place[];
}

export type MarkFacts = FirewallFacts & Pick<Facts, 'rules'>;

function inPolicyRules({ rules }: MarkFacts): ForeignMark[] {
  return rules.flatMap(({ fwmark, priority, family, action }) => {
    if (fwmark === null || isOurs(priority)) return [];
    const where = `ip -${family} rule ${priority}`;
    const use: MarkUse = { verb: 'test', of: 'packet', ...fwmark };
    return [{ ...use, where, owner: ownerOf(use, action), places: [] }];
  });
}

function inFirewall(facts: MarkFacts): ForeignMark[] {
  return readFirewall(facts)
    .filter(({ ours }) => !ours)
    .flatMap(({ marks, where, places }) =>
      marks.map((use) => ({ ...use, where, owner: ownerOf(use, where), places })),
    );
}

/** Every use of a mark that is not ours. */
export const findForeignMarks = (facts: MarkFacts): ForeignMark[] => [
  ...inPolicyRules(facts),
  ...inFirewall(facts),
];
