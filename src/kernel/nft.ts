// Our nftables table in the kernel. It is made anew whole, in one transaction, whenever what it should
// be is another; what it has counted, and what DNS put into its sets, goes over to the new one.

import { createHash } from 'node:crypto';
import type { Kept } from '../plan/nft-config.ts';
import type { Objects } from '../plan/objects.ts';
import { run, tryRun } from '../util/run.ts';
import { readNftGeneration } from './nft-generation.ts';

const ourTable = ['table', 'inet', 'lvsj'];

const digest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Tells a table of ours that holds just this script from any other. */
export const stampOf = (script: string): string => `lvsj ${digest(script)}`;

interface NftObject {
  counter?: { name: string; packets: number; bytes: number };
  set?: { name: string; elem?: (string | { elem: { val: string; expires?: number } })[] };
}

/** Elements of a set that DNS feeds, with the time that each has left. */
function formatElements(elements: NonNullable<NftObject['set']>['elem']): string[] {
  return (elements ?? []).flatMap((element) =>
    typeof element === 'string'
      ? []
      : [`${element.elem.val} timeout ${element.elem.expires ?? 1}s`],
  );
}

/** Objects of our table; none where there is no table. */
function listObjects(kind: 'counters' | 'sets'): NftObject[] {
  const { status, stdout } = tryRun(['nft', '-j', 'list', kind, ...ourTable]);
  return status === 0 ? (JSON.parse(stdout) as { nftables: NftObject[] }).nftables : [];
}

/** What each counter of the table has counted. */
export const readCounters = (): Kept['counters'] =>
  new Map(
    listObjects('counters').flatMap(({ counter }) => (counter ? [[counter.name, counter]] : [])),
  );

/** What of this script the table that is there has counted and learnt. */
function readKept(script: string): Kept {
  const counters: Kept['counters'] = script.includes('  counter ') ? readCounters() : new Map();
  const kept: Kept = { counters, elements: new Map() };
  for (const { set } of script.includes('  set dns_') ? listObjects('sets') : [])
    if (set?.name.startsWith('dns_')) kept.elements.set(set.name, formatElements(set.elem));
  return kept;
}

/** Our table as nft lists it, without what moves by itself; '' if there is none. */
const listTable = (): string => tryRun(['nft', '-s', '-t', 'list', ...ourTable]).stdout;

/** What was read last, and of which transaction's rules. */
let newest = { generation: 0, digest: '' };

/**
 * A number of what our table looks like now: another one tells that somebody changed it. Not listed again while
 * nobody has changed any rule: the kernel takes seconds to list 10,000.
 */
export function readNftDigest(): string {
  const generation = readNftGeneration();
  if (generation === 0 || generation !== newest.generation)
    newest = { generation, digest: digest(listTable()) };
  return newest.digest;
}

/** Makes the table what it should be, unless it says of itself that it is; `renew`: even then. */
export function applyNft(
  { nft, nftKeeping }: Pick<Objects, 'nft' | 'nftKeeping'>,
  renew = false,
): void {
  const stamp = stampOf(nft);
  if (!renew && listTable().includes(stamp)) return;
  const comment = `table inet lvsj {\n  comment "${stamp}"`;
  run(['nft', '-f', '-'], {
    input: nftKeeping(readKept(nft)).replace('table inet lvsj {', comment),
  });
}

export function clearNft(): void {
  if (listTable() !== '') run(['nft', 'delete', ...ourTable]);
}
