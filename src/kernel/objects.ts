// Reads and changes the kernel's objects of plan/objects.ts, by iproute2; the nftables table is in nft.ts.

import type { Family } from '../model/table.ts';
import { type Change, diffObjects, type Installed } from '../plan/diff.ts';
import { directorTable, isOurs, type Objects, type Route, type Rule } from '../plan/objects.ts';
import { run, tryRun } from '../util/run.ts';
import { applyNft, clearNft } from './nft.ts';

interface IpRule {
  priority: number;
  not?: null;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  table?: string;
  goto?: number;
  nop?: null;
  suppress_prefixlen?: number;
}

/** The words with which this rule is added: the form in which rules are compared. */
function toRule(family: Family, rule: IpRule): Rule {
  // A full mask is the one that ip does not print.
  const mark = rule.fwmark && `fwmark ${rule.fwmark}/${rule.fwmask ?? '0xffffffff'}`;
  const selector = ['not' in rule ? 'not' : '', rule.iif ? `iif ${rule.iif}` : '', mark ?? ''];
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
    selector: selector.filter((word) => word !== '').join(' '),
    action,
  };
}

interface IpRoute {
  dst: string;
  gateway?: string;
  dev?: string;
  table?: string;
  flags?: string[];
}

/** Our rules and gateways' routes as the kernel has them now. */
export function readObjects(families: Family[]): Installed {
  const rules: Rule[] = [];
  const routes: Route[] = [];
  for (const family of families) {
    const ipRules = JSON.parse(run(['ip', `-${family}`, '-json', 'rule', 'show'])) as IpRule[];
    rules.push(
      ...ipRules.filter(({ priority }) => isOurs(priority)).map((rule) => toRule(family, rule)),
    );
    const all = ['ip', `-${family}`, '-json', 'route', 'show', 'table', 'all'];
    for (const { dst, gateway, dev, table, flags } of JSON.parse(run(all)) as IpRoute[]) {
      const number = Number(table);
      if (dst !== 'default' || !isOurs(number) || number === directorTable) continue;
      const onlink = flags?.includes('onlink') ?? false;
      routes.push({ family, table: number, via: gateway ?? '', link: dev ?? '', onlink });
    }
  }
  return { rules, routes };
}

/** Runs changes in order, one process a family. `force` goes on past what is gone already. */
function applyChanges(changes: Change[], force: boolean): void {
  for (const family of [4, 6] as const) {
    const lines = changes.filter((change) => change.family === family).map(({ words }) => words);
    if (lines.length === 0) continue;
    const argv = ['ip', `-${family}`, ...(force ? ['-force'] : []), '-batch', '-'];
    const input = `${lines.join('\n')}\n`;
    if (force) tryRun(argv, { input });
    else run(argv, { input });
  }
}

/** First half of a change: everything that packets may be sent to next is there. renew: see applyNft. */
export function addObjects(want: Objects, families: Family[], renew = false): void {
  applyChanges(diffObjects(readObjects(families), want).add, false);
  applyNft(want, renew);
}

/** Second half: what nothing leads to any more goes. */
export function removeObjects(want: Objects, families: Family[]): void {
  applyNft(want);
  const { add, remove } = diffObjects(readObjects(families), want);
  // Jumps to a rule that goes lead to the next one now, and one rule for all marks becomes many.
  applyChanges(add, true);
  applyChanges(remove, true);
}

/** Everything of ours goes, whoever left it there. */
export function clearObjects(families: Family[]): void {
  applyChanges(diffObjects(readObjects(families), { rules: [], routes: [] }).remove, true);
  for (const family of families)
    tryRun(['ip', `-${family}`, 'route', 'flush', 'table', String(directorTable)]);
  clearNft();
}
