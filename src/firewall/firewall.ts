// All rules of this network namespace, whichever program made them.

import type { FirewallFacts } from '../model/facts.ts';
import { parseIptables } from './iptables.ts';
import { parseNft } from './nft.ts';
import type { FirewallRule } from './rule.ts';

const prefixOf: Record<string, string> = { 'ip ': 'iptables', 'ip6 ': 'ip6tables' };

/** The table of iptables-nft that this table of nft is, as its rules are shown by iptables-save. */
function isShownByIptables(rule: FirewallRule, { iptables }: FirewallFacts): boolean {
  return Object.entries(prefixOf).some(
    ([family, program]) =>
      rule.table.startsWith(family) &&
      iptables.some(
        (saved) =>
          saved.program === program &&
          saved.text.split('\n').includes(`*${rule.table.slice(family.length)}`),
      ),
  );
}

export function readFirewall(facts: FirewallFacts): FirewallRule[] {
  const nft = parseNft(facts.nft).filter((rule) => !isShownByIptables(rule, facts));
  return [...nft, ...facts.iptables.flatMap(parseIptables)];
}
