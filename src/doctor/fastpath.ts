// What the fast path passes by: only asked where a service has it.

import { rulesPassedBy } from '../firewall/needy.ts';
import type { FirewallRule } from '../firewall/rule.ts';
import type { DirectorFacts, Facts, FastpathFacts } from '../model/facts.ts';
import { type Check, type Found, note, warning } from './finding.ts';
import { gatewayLinks, lanLinks } from './view.ts';

interface Asked {
  facts: Facts;
  director: DirectorFacts;
  fastpath: FastpathFacts;
}

/** A check that finds nothing, and reads nothing, where no service has it. */
const whereOn = (name: string, find: (asked: Asked) => Found[]): Check => ({
  name,
  find: (facts) => {
    const { director } = facts;
    if (!director?.fastpath) return [];
    return find({ facts, director, fastpath: director.fastpath });
  },
});

const passedBy = (facts: Facts): FirewallRule[] =>
  rulesPassedBy(facts, [...lanLinks(facts).map(({ name }) => name), ...gatewayLinks(facts)]);

/** More are counted, not listed. */
const listedRules = 3;

function listRules(rules: FirewallRule[], format: (rule: FirewallRule) => string): string {
  const more = rules.length - listedRules;
  const listed = rules.slice(0, listedRules).map(format).join(', ');
  return more > 0 ? `${listed} and ${more} more` : listed;
}

export const fastPath = whereOn('fast-path', ({ facts, fastpath }) => [
  ...(fastpath.state === 'unwatched'
    ? [
        warning(
          'fastpath is on, but no lvsj run watches over it: all packets take the normal path',
          'systemctl start lvsj',
        ),
      ]
    : []),
  ...(facts.legacyTables.length > 0
    ? [
        note(
          `iptables-legacy has tables in use (${facts.legacyTables.join(', ')}): it tells nobody when its rules change, and connections on the fast path meet them after 30 seconds at the most`,
          'update-alternatives --set iptables /usr/sbin/iptables-nft, and its rules once more',
        ),
      ]
    : []),
]);

function findNeedy({ facts, director, fastpath }: Asked): Found[] {
  const rules = passedBy(facts).filter(({ passing }) => passing.needs !== '');
  if (rules.length === 0) return [];
  const listed = listRules(rules, ({ where, passing }) => `"${where}" (${passing.needs})`);
  const [careful, insisting] = [fastpath.careful.join(', '), fastpath.insisting.join(', ')];
  const removes = rules.slice(0, listedRules).map(({ remove }) => remove);
  return [
    ...(insisting === ''
      ? []
      : [
          warning(
            `rules of others must see each packet and see some, for ${insisting} has a fastpath of its own that is on: ${listed}`,
            `take "fastpath: on" from ${insisting} in ${director.file} and write it for the whole file, then lvsj apply ${director.file}`,
          ),
        ]),
    ...(careful === ''
      ? []
      : [
          note(
            `rules of others must see each packet, so ${careful} takes the normal path: ${listed}`,
            `${removes.join(' && ')}, if nobody needs them; or "fastpath: on" in the service itself`,
          ),
        ]),
  ];
}

export const fastPathRules = whereOn('fast-path-rules', findNeedy);

const ourCounters = 'lvsj gateway, lvsj service and lvsj metrics count all packets';

export const fastPathCounters = whereOn('fast-path-counters', ({ facts }) => {
  const rules = passedBy(facts).filter(
    ({ passing, through }) => passing.counts && through.some(({ hook }) => hook === 'forward'),
  );
  const counters = [
    ...(rules.length > 0 ? [listRules(rules, ({ where }) => `"${where}"`)] : []),
    ...(facts.sysctls['net/netfilter/nf_conntrack_acct'] === '1'
      ? ['conntrack (nf_conntrack_acct=1)']
      : []),
  ];
  return counters.map((counter) =>
    note(
      `of established connections only packets of the normal path are counted by ${counter}`,
      ourCounters,
    ),
  );
});

export const fastPathIngress = whereOn('fast-path-ingress', ({ facts, director }) =>
  facts.passedFilters.map(({ link, preference, kind }) =>
    warning(
      `the filter of tc at ingress of ${link} with preference ${preference} (${kind}) comes after the director's: it does not see what takes the fast path`,
      `shape and filter where packets leave, which the fast path does not pass by; or "fastpath: off" in ${director.file}, then lvsj apply ${director.file}`,
    ),
  ),
);
