// Reads and changes the kernel's objects of plan/objects.ts, by iproute2; the nftables table is in nft.ts.

import type { Family } from '../model/table.ts';
import { type Change, diffObjects, type Installed, routeWords } from '../plan/diff.ts';
import { directorTable, isOurs, type Objects, type Route, type Rule } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import { run, tryRun } from '../util/run.ts';
import { applyNft, clearNft } from './nft.ts';
import { ipWithPrograms } from './pin.ts';
import type { Program } from './program.ts';
import { findRouteProgram } from './programs.ts';

interface IpRule {
  priority: number;
  not?: null;
  fwmark?: string;
  fwmask?: string;
  src?: string;
  srclen?: number;
  iif?: string;
  oif?: string;
  table?: string;
  goto?: number;
  nop?: null;
  suppress_prefixlen?: number;
}

/** A full mask is one that ip does not print, and so is the length of a whole address. */
function toSelector(rule: IpRule): string {
  const { src, srclen, iif, oif, fwmark, fwmask } = rule;
  return [
    ...('not' in rule ? ['not'] : []),
    ...(src === undefined || src === 'all' ? [] : [`from ${src}${srclen ? `/${srclen}` : ''}`]),
    ...(iif ? [`iif ${iif}`] : []),
    ...(oif ? [`oif ${oif}`] : []),
    ...(fwmark ? [`fwmark ${fwmark}/${fwmask ?? '0xffffffff'}`] : []),
  ].join(' ');
}

/** The words with which this rule is added: the form in which rules are compared. */
function toRule(family: Family, rule: IpRule): Rule {
  const suppress =
    rule.suppress_prefixlen === undefined
      ? ''
      : ` suppress_prefixlength ${rule.suppress_prefixlen}`;
  let action = 'nop';
  if (rule.goto !== undefined) action = `goto ${rule.goto}`;
  else if (rule.table !== undefined) action = `lookup ${rule.table}${suppress}`;
  return {
    family,
    priority: rule.priority,
    selector: toSelector(rule),
    action,
  };
}

interface IpRoute {
  dst: string;
  gateway?: string;
  dev?: string;
  table?: string;
  flags?: string[];
  prefsrc?: string;
  encap?: string;
}

const toRoute = (family: Family, table: number, route: IpRoute): Route => ({
  family,
  table,
  via: route.gateway ?? '',
  link: route.dev ?? '',
  onlink: route.flags?.includes('onlink') ?? false,
  source: route.prefsrc ?? '',
  teaches: route.encap === 'bpf',
});

/** Our rules and gateways' routes as the kernel has them now. */
export function readObjects(families: Family[]): Installed {
  const rules: Rule[] = [];
  const routes: Route[] = [];
  for (const family of families) {
    const ipRules = JSON.parse(run(['ip', `-${family}`, '-json', 'rule', 'show'])) as IpRule[];
    rules.push(
      ...ipRules.filter(({ priority }) => isOurs(priority)).map((rule) => toRule(family, rule)),
    );
    const all = ['ip', `-${family}`, '-json', 'route', 'show', 'default', 'table', 'all'];
    for (const route of JSON.parse(run(all)) as IpRoute[]) {
      const table = Number(route.table);
      if (route.dst !== 'default' || !isOurs(table) || table === directorTable) continue;
      routes.push(toRoute(family, table, route));
    }
  }
  return { rules, routes };
}

/**
 * Runs changes in order, one process a family. `force` goes on past what is gone already. uplinkOut: for routes
 * that teach; the running director's, without it.
 */
function applyChanges(
  changes: Change[],
  force: boolean,
  which: (change: Change) => boolean = () => true,
  uplinkOut?: Program,
): void {
  for (const family of [4, 6] as const) {
    const chosen = changes.filter((change) => change.family === family && which(change));
    if (chosen.length === 0) continue;
    const argv = [`-${family}`, ...(force ? ['-force'] : []), '-batch', '-'];
    if (chosen.some(({ teaches }) => teaches)) teach(argv, chosen, uplinkOut);
    else if (force) tryRun(['ip', ...argv], { input: toLines(chosen) });
    else run(['ip', ...argv], { input: toLines(chosen) });
  }
}

const toLines = (changes: Change[], program = ''): string =>
  changes
    .map(({ words, teaches }) => `${words}${teaches ? ` encap bpf xmit pinned ${program}` : ''}\n`)
    .join('');

function teach(argv: string[], changes: Change[], given?: Program): void {
  using found = given ? undefined : findRouteProgram('lvsj_uplink_out');
  const program = given ?? found;
  if (!program) throw new UserError('lvsj_uplink_out is not loaded any more: the routes are gone');
  ipWithPrograms([program.info.id], ([path]) => ({ argv, input: toLines(changes, path) }));
}

/** In the place of the ones with the same table. uplinkOut: see applyChanges. */
export function replaceRoutes(routes: Route[], uplinkOut?: Program): void {
  const changes = routes.map((route) => routeWords('replace', route));
  applyChanges(changes, false, undefined, uplinkOut);
}

/** This program on all of gateways' routes that have an older one. */
export function replaceOnRoutes(uplinkOut: Program, families: Family[]): void {
  const teaching = readObjects(families).routes.filter(({ teaches }) => teaches);
  replaceRoutes(teaching, uplinkOut);
}

/** First half of a change: everything that packets may be sent to next is there. renew: see applyNft. */
export function addObjects(want: Objects, families: Family[], renew = false): void {
  const { add } = diffObjects(readObjects(families), want);
  applyChanges(add, false, ({ needsNft }) => !needsNft);
  applyNft(want, renew);
  applyChanges(add, false, ({ needsNft }) => needsNft);
}

/** Second half: what nothing leads to any more goes. */
export function removeObjects(want: Objects, families: Family[]): void {
  const { add, remove } = diffObjects(readObjects(families), want);
  applyChanges(remove, true, ({ needsNft }) => needsNft);
  applyNft(want);
  // Jumps to a rule that goes lead to the next one now, and one rule for all marks becomes many.
  applyChanges(add, true);
  applyChanges(remove, true, ({ needsNft }) => !needsNft);
}

/** Everything of ours goes, whoever left it there. */
export function clearObjects(families: Family[]): void {
  applyChanges(diffObjects(readObjects(families), { rules: [], routes: [] }).remove, true);
  for (const family of families)
    tryRun(['ip', `-${family}`, 'route', 'flush', 'table', String(directorTable)]);
  clearNft();
}
