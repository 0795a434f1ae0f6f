// Puts the addresses of DNS names into the sets of our nftables table that rules by name ask.

import type { Family } from '../model/table.ts';
import { domainSetName } from '../plan/nft-rules.ts';
import { tryRun } from '../util/run.ts';

export interface DomainAddress {
  address: string;
  family: Family;
  /** Seconds that it stays unless it is told again. */
  timeoutS: number;
}

/** An element that is there keeps its own time: it must go and come back, in one transaction. */
function planElement(set: string, { address, family, timeoutS }: DomainAddress): string {
  const name = domainSetName(set, family);
  const words = (verb: string, more = ''): string =>
    `${verb} element inet lvsj ${name} { ${address}${more} }`;
  const fresh = words('add', ` timeout ${timeoutS}s`);
  return [fresh, words('delete'), fresh].join('\n');
}

/** False where there is no such set (any more): then nobody asks. */
export function tellDomainSet(set: string, addresses: DomainAddress[]): boolean {
  const input = addresses.map((address) => `${planElement(set, address)}\n`).join('');
  return tryRun(['nft', '-f', '-'], { input }).status === 0;
}
