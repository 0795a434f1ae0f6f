// Everything that lvsj doctor judges, read when it is first asked for and then kept.

import type { DirectorFacts, Facts } from '../model/facts.ts';
import { readDirectorFacts } from './facts-director.ts';
import {
  clockIsSynchronised,
  conntrackMaxIsWritable,
  networkdTakesRules,
  readKernelFacts,
  readPrograms,
  readSysctls,
} from './facts-machine.ts';
import {
  askNeighbours,
  readLinkFacts,
  readLro,
  readRouteFacts,
  readRuleFacts,
} from './facts-network.ts';
import { readIptables, readLegacyTables, readNft } from './firewall.ts';
import { readPassedFilters } from './tc.ts';

/** A result, or the error, for every time that it is asked for. */
type Outcome = { value: unknown } | { error: unknown };

function attempt(read: () => unknown): Outcome {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
}

/** Each reader becomes a property that is read once; one that fails fails whoever asks. */
export function lazily<T extends object>(readers: { [Name in keyof T]: () => T[Name] }): T {
  const known = new Map<string, Outcome>();
  const result = {};
  for (const [name, read] of Object.entries<() => unknown>(readers))
    Object.defineProperty(result, name, {
      enumerable: true,
      get: () => {
        const outcome = known.get(name) ?? attempt(read);
        known.set(name, outcome);
        if ('error' in outcome) throw outcome.error;
        return outcome.value;
      },
    });
  return result as T;
}

/** Those that its programs are on. */
function linksOf(director: DirectorFacts | undefined): string[] {
  const uplinks = director?.gateways.map(({ link }) => link) ?? [];
  return [...new Set([...(director?.lan ?? []), ...uplinks])].filter((link) => link !== '');
}

/** Of this network namespace, now. */
export function readFacts(): Facts {
  const facts: Facts = lazily<Facts>({
    kernel: readKernelFacts,
    programs: readPrograms,
    sysctls: readSysctls,
    links: readLinkFacts,
    rules: readRuleFacts,
    routes: readRouteFacts,
    neighbours: () => askNeighbours(facts.director?.gateways ?? [], facts.links),
    nft: readNft,
    iptables: readIptables,
    legacyTables: readLegacyTables,
    passedFilters: () => readPassedFilters(linksOf(facts.director)),
    lro: () => readLro(facts.links),
    clockIsSynchronised,
    networkdTakesRules,
    conntrackMaxIsWritable,
    director: readDirectorFacts,
  });
  return facts;
}
