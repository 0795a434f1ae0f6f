// Rules of others that must see each packet of a connection: the fast path passes them by.

import type { FirewallFacts } from '../model/facts.ts';
import type { NeedyRule } from '../model/state.ts';
import { readFirewall } from './firewall.ts';
import type { BaseChain, FirewallRule } from './rule.ts';

const hooks = ['prerouting', 'forward', 'postrouting'];

/** A bridge's own rules see what comes in by its ports before we do. */
const isRouted = ({ table }: FirewallRule): boolean => !/^(?:bridge|arp) /.test(table);

/** Ingress comes after our program on the link, egress after what it sends. */
const isPassedBy = ({ hook, links }: BaseChain, ours: readonly string[]): boolean =>
  hook === 'ingress'
    ? links === null || links.some((link) => ours.includes(link))
    : hooks.includes(hook);

/** Others' rules that packets on the fast path would come to without it. links: the LAN's and the gateways'. */
export const rulesPassedBy = (facts: FirewallFacts, links: readonly string[]): FirewallRule[] =>
  readFirewall(facts).filter(
    (rule) => !rule.ours && isRouted(rule) && rule.through.some((base) => isPassedBy(base, links)),
  );

export const findNeedyRules = (facts: FirewallFacts, links: readonly string[]): NeedyRule[] =>
  rulesPassedBy(facts, links)
    .filter(({ passing }) => passing.needs !== '')
    .map(({ where, table, chain, passing }) => ({ table, chain, rule: where, why: passing.needs }));
