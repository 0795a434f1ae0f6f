// Policy rules of others that come before the director's and take packets away from it.

import type { Facts, RouteFact, RuleFact } from '../model/facts.ts';
import { base, directorLink, isOurs } from '../plan/objects.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { lengthOf, overlap } from './prefix.ts';
import { takesAll } from './routes.ts';
import { hex, lanLinks, networksOf } from './view.ts';

/** A free place behind the director's rules, and before main's. */
const behind = base + 1000;

/** What `ip rule` takes for this rule, behind its priority. */
export function ruleWords(rule: RuleFact): string {
  const { fwmark, suppress } = rule;
  const words = [
    rule.not ? 'not' : '',
    `from ${rule.from}`,
    rule.to === 'all' ? '' : `to ${rule.to}`,
    fwmark ? `fwmark ${hex(fwmark.value)}/${hex(fwmark.mask)}` : '',
    rule.iif === '' ? '' : `iif ${rule.iif}`,
    rule.oif === '' ? '' : `oif ${rule.oif}`,
    rule.rest,
    rule.action,
    suppress < 0 ? '' : `suppress_prefixlength ${suppress}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

const moveBehind = (rule: RuleFact): string => {
  const words = ruleWords(rule);
  return `ip -${rule.family} rule add priority ${behind} ${words} && ip -${rule.family} rule del priority ${rule.priority} ${words}`;
};

/** Whether packets from the LAN can meet the rule at all, and whether all of them do. */
function reach(facts: Facts, rule: RuleFact): 'all' | 'some' | 'none' {
  // Of the router's own packets, and of one destination: on purpose.
  if (rule.oif !== '' || /\buidrange\b/.test(rule.rest)) return 'none';
  if (rule.to !== 'all' && lengthOf(rule.to) > 8) return 'none';
  const lan = lanLinks(facts);
  if (rule.iif !== '' && !lan.some(({ name }) => name === rule.iif)) return 'none';
  const networks = lan.flatMap((link) => networksOf(link, rule.family));
  const fits = rule.from === 'all' || networks.some((network) => overlap(network, rule.from));
  if (!fits && !rule.not) return 'none';
  const whole = rule.from === 'all' && rule.to === 'all' && rule.iif === '' && rule.rest === '';
  return whole ? 'all' : 'some';
}

/** Services whose packets the rule's mark fits. */
function servicesOf({ director }: Facts, { family, fwmark, not }: RuleFact): string[] {
  const services = director?.services.filter((service) => service.family === family) ?? [];
  return services
    .filter((service) => {
      if (fwmark === null) return true;
      return ((service.fwmark & fwmark.mask) >>> 0 === fwmark.value) !== not;
    })
    .map(({ name }) => name);
}

const ends = ['prohibit', 'blackhole', 'unreachable'];

/** Why a packet that meets the rule goes no further; '' if it does. */
function reason(routes: RouteFact[], rule: RuleFact): string {
  if (rule.action.startsWith('goto ')) {
    const target = Number(rule.action.slice(5));
    return target >= behind ? 'it jumps past them' : '';
  }
  // Of a link's VRF, nop: nothing that concerns packets of the LAN.
  if (rule.table === '') return ends.includes(rule.action) ? 'it ends the search' : '';
  const taken = routes.find(
    (route) =>
      route.family === rule.family &&
      route.table === rule.table &&
      takesAll(route) &&
      lengthOf(route.to) > rule.suppress,
  );
  return taken ? `table ${rule.table} has a route to ${taken.to}` : '';
}

function judgeRule(facts: Facts, rule: RuleFact): Found | undefined {
  if (rule.priority >= base || rule.table === 'local') return undefined;
  const reached = reach(facts, rule);
  const services = servicesOf(facts, rule);
  const why = reason(facts.routes, rule);
  if (reached === 'none' || services.length === 0 || why === '') return undefined;
  const what = `ip -${rule.family} rule ${rule.priority} (${ruleWords(rule)}) comes before the director's rules and takes ${
    reached === 'all' ? 'the packets' : 'packets'
  } of ${services.join(', ')}: ${why}`;
  return (reached === 'all' ? error : warning)(what, moveBehind(rule));
}

export const policyRules: Check = {
  name: 'policy-rules',
  find: (facts) => facts.rules.flatMap((rule) => judgeRule(facts, rule) ?? []),
};

/** Where a director runs, or what is left of one, the check of its objects knows what is its own. */
export const rulesInRange: Check = {
  name: 'rules-in-range',
  find: ({ director, links, rules }) =>
    director || links.some(({ name }) => name === directorLink)
      ? []
      : rules
          .filter(({ priority }) => isOurs(priority))
          .map((rule) =>
            warning(
              `ip -${rule.family} rule ${rule.priority} (${ruleWords(rule)}) is in the range of the director's rules (${base} to ${behind - 1}), and would be removed as if it were one`,
              moveBehind(rule),
            ),
          ),
};
