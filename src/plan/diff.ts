// What must change for the kernel to have what is wanted: add before delete, each change one command line.

import type { Family } from '../model/table.ts';
import { type Objects, type Route, type Rule, routerTable } from './objects.ts';

/** What ip shows of our objects. */
export type Installed = Pick<Objects, 'rules' | 'routes'>;

/** A step: words for `ip -4` or `ip -6`. */
export interface Change {
  family: Family;
  words: string;
  /** It needs the nftables table: added after it, taken away before it. */
  needsNft: boolean;
  /** A route to which the way to lvsj_uplink_out must be added. */
  teaches?: boolean;
}

export interface Changes {
  /** In order: what must be there before packets are sent its way. */
  add: Change[];
  /** In order; after everything that pointed to it is gone. */
  remove: Change[];
}

const ruleKey = (rule: Rule): string =>
  `${rule.family} ${rule.priority} ${rule.selector} ${rule.action}`;
const routeKey = (route: Route): string =>
  `${route.family} ${route.table} ${route.via} ${route.link} ${route.source} ${route.teaches}`;

/** Those of `these` whose key is not among `those`. */
function missing<T>(these: T[], those: T[], key: (item: T) => string): T[] {
  const known = new Set(those.map(key));
  return these.filter((item) => !known.has(key(item)));
}

/** The kernel takes no second rule of this kind, wherever it leads. */
const placeKey = (rule: Rule): string => `${rule.family} ${rule.priority} ${rule.selector}`;

export const routeWords = (
  verb: string,
  { family, via, link, table, onlink, source, teaches }: Route,
): Change => ({
  family,
  needsNft: false,
  teaches: teaches && verb !== 'del',
  words: [
    `route ${verb} default`,
    ...(via === '' ? [] : [`via ${via}`]),
    `dev ${link} table ${table}`,
    ...(onlink ? ['onlink'] : []),
    ...(source === '' ? [] : [`src ${source}`]),
  ].join(' '),
});

const ruleWords = (verb: string, rule: Rule): Change => ({
  family: rule.family,
  words: `rule ${verb} priority ${rule.priority} ${rule.selector} ${rule.action}`,
  needsNft: rule.action === `lookup ${routerTable}`,
});

/**
 * A gateway's table is filled before a rule leads there and emptied after. A goto must find its
 * target, so higher priorities come first; taking away goes the other way round.
 */
export function diffObjects(have: Installed, want: Installed): Changes {
  const byPriority = (a: Rule, b: Rule): number => b.priority - a.priority;
  const addRules = missing(want.rules, have.rules, ruleKey).sort(byPriority);
  const removeRules = missing(have.rules, want.rules, ruleKey).sort(byPriority).reverse();
  // Only jumps lead elsewhere after a change; without one a packet walks past more rules.
  const replaced = new Map(removeRules.map((rule) => [placeKey(rule), rule]));
  const added = new Set(addRules.map(placeKey));
  const kept = new Set(want.routes.map((route) => `${route.family} ${route.table}`));
  return {
    add: [
      ...missing(want.routes, have.routes, routeKey).map((route) => routeWords('replace', route)),
      ...addRules.flatMap((rule) => {
        const old = replaced.get(placeKey(rule));
        return [...(old ? [ruleWords('del', old)] : []), ruleWords('add', rule)];
      }),
    ],
    remove: [
      ...removeRules
        .filter((rule) => !added.has(placeKey(rule)))
        .map((rule) => ruleWords('del', rule)),
      ...missing(have.routes, want.routes, routeKey)
        // One that was replaced above is gone already.
        .filter((route) => !kept.has(`${route.family} ${route.table}`))
        .map((route) => routeWords('del', route)),
    ],
  };
}
