// The rules of nftables and iptables, as their programs list them. Without libbpf: a thread reads them, too.

import { existsSync, readFileSync } from 'node:fs';
import type { FirewallFacts, SavedRules } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { run, tryRun } from '../util/run.ts';
import { isInstalled } from './installed.ts';

const list = (...words: string[]): unknown[] =>
  (JSON.parse(run(['nft', '-j', '-t', 'list', ...words])) as { nftables: unknown[] }).nftables;

export const readNft = (): unknown[] => list('ruleset');

interface NftTable {
  table?: { family: string; name: string };
}

/** Ours may have thousands of rules, each of which nft would look at. */
const readForeignNft = (): unknown[] =>
  (list('tables') as NftTable[]).flatMap(({ table }) =>
    table === undefined || (table.family === 'inet' && table.name === 'lvsj')
      ? []
      : list('table', table.family, table.name),
  );

/** Tables that iptables-legacy has in use; asking it would load its modules. */
function legacyTables(family: Family): string[] {
  const path = `/proc/self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`;
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

export const readLegacyTables = (): string[] => [
  ...legacyTables(4).map((table) => `iptables ${table}`),
  ...legacyTables(6).map((table) => `ip6tables ${table}`),
];

/** Both of iptables: the one that keeps its rules in nftables, and the legacy one. */
export function readIptables(): SavedRules[] {
  const saved: SavedRules[] = [];
  for (const [family, program] of [
    [4, 'iptables'],
    [6, 'ip6tables'],
  ] as [Family, string][]) {
    if (isInstalled(program)) saved.push({ program, family, text: run([`${program}-save`]) });
    const legacy = `${program}-legacy`;
    if (legacyTables(family).length > 0 && isInstalled(legacy))
      if (!tryRun([program, '-V']).stdout.includes('legacy'))
        saved.push({ program: legacy, family, text: run([`${legacy}-save`]) });
  }
  return saved;
}

/** All that are not ours. A UserError where they change meanwhile, too. */
export const readForeignFirewall = (): FirewallFacts => ({
  nft: readForeignNft(),
  iptables: readIptables(),
});
