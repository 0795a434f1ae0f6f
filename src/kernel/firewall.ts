// The rules of others, read beside everything else: for the daemon, which must not wait for programs.

import type { FirewallFacts, SavedRules } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { UserError } from '../util/error.ts';
import { runTimed } from '../util/run-timed.ts';
import { legacyTables } from './facts-machine.ts';

/** Ours may have thousands of rules, each of which nft would look at. */
const ours = 'inet lvsj';
/** More than any firewall's rules take. */
const mostBytes = 256 * 1024 ** 2;

async function output(argv: string[], signal: AbortSignal): Promise<string> {
  const { status, stdout, stderr } = await runTimed(argv, signal, { mostBytes });
  if (status !== 0) throw new UserError(`"${argv.join(' ')}" failed: ${stderr.trim()}`);
  return stdout;
}

interface NftTable {
  table?: { family: string; name: string };
}

async function list(words: string[], signal: AbortSignal): Promise<unknown[]> {
  const text = await output(['nft', '-j', '-t', 'list', ...words], signal);
  return (JSON.parse(text) as { nftables: unknown[] }).nftables;
}

async function readNft(signal: AbortSignal): Promise<unknown[]> {
  const tables = ((await list(['tables'], signal)) as NftTable[])
    .flatMap(({ table }) => (table ? [`${table.family} ${table.name}`] : []))
    .filter((name) => name !== ours);
  const lists = tables.map((name) => list(['table', ...name.split(' ')], signal));
  return (await Promise.all(lists)).flat();
}

async function save(program: string, family: Family, signal: AbortSignal): Promise<SavedRules[]> {
  try {
    return [{ program, family, text: await output([`${program}-save`], signal) }];
  } catch (error) {
    // Who has no iptables has no such rules, or nft knows them.
    if (error instanceof UserError && error.message.includes('not installed')) return [];
    throw error;
  }
}

async function readIptables(signal: AbortSignal): Promise<SavedRules[]> {
  const programs = ([4, 6] as const).flatMap((family): [Family, string][] => {
    const program = family === 4 ? 'iptables' : 'ip6tables';
    const legacy: [Family, string][] = [[family, `${program}-legacy`]];
    return [[family, program], ...(legacyTables(family).length > 0 ? legacy : [])];
  });
  const saved = programs.map(([family, program]) => save(program, family, signal));
  return (await Promise.all(saved)).flat();
}

/** Rejected where they change meanwhile, too. */
export async function readForeignFirewall(signal: AbortSignal): Promise<FirewallFacts> {
  const [nft, iptables] = await Promise.all([readNft(signal), readIptables(signal)]);
  return { nft, iptables };
}
