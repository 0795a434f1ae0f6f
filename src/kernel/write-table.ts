// Brings the kernel from the table that it has to the one that is wanted: add before delete.

import type { Applied } from '../model/applied.ts';
import type { Link } from '../model/environment.ts';
import type { ConfigObjects } from '../model/objects.ts';
import {
  type Family,
  noCounters,
  type ServiceKey,
  sameService,
  type Table,
} from '../model/table.ts';
import { type Change, diffObjects } from '../plan/diff.ts';
import { addressesOf, type Hop, planHops, presentHops } from '../plan/hops.ts';
import { type Objects, planObjects } from '../plan/objects.ts';
import * as abi from './abi.gen.ts';
import { readApplied } from './applied.ts';
import { attachToLinks, bareLinks } from './attach.ts';
import { type Director, families } from './director.ts';
import { keepDirectorRoutes, lostFamilies } from './director-routes.ts';
import { knownGateways, returning, toGateway, withoutPresence } from './hops.ts';
import { findLink, readLinks } from './link.ts';
import { applyNft, readNftDigest } from './nft.ts';
import { addObjects, readObjects, removeObjects } from './objects.ts';
import { readSlots, readTable, type Slots } from './read-table.ts';
import { changeSysctls } from './sysctl.ts';
import { ServiceWriter } from './write-services.ts';

/** What a configuration asks for beyond the edit of the table. */
export interface WriteOptions {
  /** The link of a next hop; without it, where the kernel would look for it. */
  findLink?: (family: Family, address: string) => string;
  /** What the configuration that is applied adds, and what shall be in its place. */
  config?: { before: ConfigObjects | undefined; after: ConfigObjects };
  /** Those that there are, if the caller knows them. */
  links?: Link[];
  /** Compares with what the kernel has, whatever the edit: others may have taken something away. */
  repair?: boolean;
  /** With repair: makes the nftables table anew, for somebody changed it. */
  renewNft?: boolean;
}

/** What became of the kernel's objects. */
export interface Written {
  /** Whether they were touched. */
  objects: boolean;
}

/**
 * Reads the table, lets `edit` change it and makes the kernel follow. The caller holds the lock.
 * A refused edit, or a gateway without a link, changes nothing.
 */
export function writeTable(
  director: Director,
  edit: (table: Table) => Table,
  options: WriteOptions = {},
): Written {
  const all = readSlots(director);
  const have = readTable(director, all);
  const want = edit(have);
  const config = options.config ?? asItIs(readApplied(director)?.objects);
  const links = options.links ?? readLinks();
  const up = namesOfUp(links);
  const known = knownGateways(all.gateways);
  const before = { hops: presentHops(known), ...marksOf(have), config: config.before, up };
  // Without a service only while they are there: an edit makes none anew.
  const present = new Set([...before.hops.values()].map(({ address }) => address));
  const named = config.after?.gateways ?? [];
  const others = options.config ? named : named.filter((address) => present.has(address));
  const hops = planHops(addressesOf(want.services, others), known, options.findLink ?? findLink);
  const after = { hops, ...marksOf(want), config: config.after, up };
  const [was, shall] = [plan(before, director), plan(after, director)];
  const changed = options.repair ? 'all' : whatChanged(was, shall);
  director.keepTime();
  if (options.repair) keepDirectorRoutes(director, families());
  if (changed === 'all') addGateways(director, { before, was, after, renewNft: options.renewNft });
  else if (changed === 'nft') applyNft(shall, true);
  // Each time: links come and go with nobody to tell us.
  if (hops.size > 0)
    attachToLinks(director, { links, gatewayLinks: linksOf(after), config: after.config });
  writeServices(director, all, have, want, new Map([...before.hops, ...after.hops]));
  writeTimeouts(director, want);
  if (changed === 'all') {
    markGone(director, all, before, after);
    removeObjects(shall, families());
  }
  return { objects: changed !== 'nothing' };
}

const asItIs = (objects: ConfigObjects | undefined) => ({ before: objects, after: objects });

const namesOfUp = (links: Link[]): string[] => links.filter(({ up }) => up).map(({ name }) => name);

/** How readRepairs names our nftables table. */
export const nftRepair = 'nftables table inet lvsj';

/** What the kernel lacks of what there should be now, or has beyond it: somebody else changed it. */
export function readRepairs(director: Director, applied: Applied | undefined): string[] {
  const hops = presentHops(knownGateways(director.maps.gateways.all()));
  const links = readLinks();
  const up = namesOfUp(links);
  const config = applied?.objects;
  const want = plan({ hops, ...marksOf(readTable(director)), config, up }, director);
  const { add, remove } = diffObjects(readObjects(families()), want);
  const words = ({ family, words }: Change): string => `ip -${family} ${words}`;
  const nft = applied && readNftDigest() !== applied.nftDigest;
  return [
    ...lostFamilies(families()).map((family) => `the director's IPv${family} route`),
    ...[...add, ...remove].map(words),
    ...bareLinks({ links, gatewayLinks: linksOf({ hops }), config }).map(
      (link) => `programs of link ${link}`,
    ),
    ...(nft ? [nftRepair] : []),
  ];
}

/** What the kernel's objects follow from. */
interface Base {
  hops: Map<string, Hop>;
  fwmarks: number[];
  onePacket: number[];
  config: ConfigObjects | undefined;
  up: string[];
}

const marksOf = ({ services }: Table): Pick<Base, 'fwmarks' | 'onePacket'> => ({
  fwmarks: services.map(({ fwmark }) => fwmark),
  onePacket: services.filter(({ onePacket }) => onePacket).map(({ fwmark }) => fwmark),
});

function plan({ hops, config, ...rest }: Base, { bits }: Director): Objects {
  const wanted = { gateways: [...hops.values()], ...rest, families: families() };
  return planObjects(config ? { ...wanted, config } : wanted, bits);
}

/** Of the kernel's objects: a new rule of the configuration concerns nftables alone. */
function whatChanged(was: Objects, shall: Objects): 'all' | 'nft' | 'nothing' {
  const { add, remove } = diffObjects(was, shall);
  if (add.length > 0 || remove.length > 0) return 'all';
  return was.nft === shall.nft ? 'nothing' : 'nft';
}

/** What is there and what comes, at once: a gateway that goes keeps its source address until then. */
function union(before: Base, after: Base): Base {
  const hops = new Map([...before.hops, ...after.hops]);
  const fwmarks = [...before.fwmarks, ...after.fwmarks];
  const ids = new Set(after.config?.policies.map(({ id }) => id));
  const old = before.config?.policies.filter(({ id }) => !ids.has(id)) ?? [];
  const config = after.config && {
    ...after.config,
    policies: [...after.config.policies, ...old],
  };
  return { ...after, hops, fwmarks, config };
}

interface Step {
  before: Base;
  /** The plan of it. */
  was: Objects;
  after: Base;
  renewNft: boolean | undefined;
}

/** Objects and sysctls of what is there and what comes; undone if any of it fails. */
function addGateways(director: Director, { before, was, after, renewNft }: Step): void {
  const fresh = [...after.hops.values()].filter((hop) => hop.fresh);
  const both = union(before, after);
  const used = [...new Set([...both.hops.values()].map((hop) => hop.family))];
  const wanted = plan(both, director);
  try {
    addObjects(wanted, families(), renewNft);
    // One rule for all marks takes the place of many.
    if (diffObjects(was, wanted).remove.length > 0) removeObjects(wanted, families());
    changeSysctls(director.maps, used, linksOf(after));
  } catch (error) {
    removeObjects(was, families());
    throw error;
  }
  const { gateways } = director.maps;
  for (const hop of fresh)
    gateways.set(hop.id, toGateway(hop, returning(hop, gateways.get(hop.id))));
}

const linksOf = ({ hops }: Pick<Base, 'hops'>): string[] => [
  ...new Set([...hops.values()].map(({ link }) => link)),
];

function writeServices(
  director: Director,
  all: Slots,
  have: Table,
  want: Table,
  hops: Map<string, Hop>,
): void {
  const writer = new ServiceWriter(director, all, hops);
  for (const service of want.services)
    writer.write(
      have.services.find((known) => sameService(known, service)),
      service,
    );
  for (const service of have.services)
    if (!want.services.some((wanted) => sameService(wanted, service))) writer.remove(service);
  writer.flush();
}

function writeTimeouts(director: Director, { timeouts }: Table): void {
  const { settings } = director;
  const timeoutS = [...settings.timeoutS];
  timeoutS[abi.connState.CONN_ESTABLISHED] = timeouts.tcp;
  timeoutS[abi.connState.CONN_FIN_WAIT] = timeouts.tcpFin;
  timeoutS[abi.connState.CONN_ASKED] = timeouts.udp;
  timeoutS[abi.connState.CONN_ANSWERED] = timeouts.udp;
  if (timeoutS.join() !== settings.timeoutS.join())
    director.maps.settings.set(0, { ...settings, timeoutS });
}

/** The entry stays, marked gone: its connections and its id are there if it comes back. */
function markGone(director: Director, all: Slots, before: Base, after: Base): void {
  const gone = [...before.hops].filter(([key]) => !after.hops.has(key)).map(([, hop]) => hop);
  for (const { id } of gone) {
    const gateway = all.gateways.get(id);
    if (gateway) director.maps.gateways.set(id, withoutPresence(gateway));
  }
}

/** ipvsadm -Z: what was counted until now no longer shows. Everything without a key. */
export function zeroCounters(director: Director, key?: ServiceKey): void {
  const { slots, stats } = readSlots(director);
  for (const [number, slot] of slots) {
    const other = key && (slot.fwmark !== key.fwmark || slot.family !== key.family);
    if (slot.fwmark === 0 || other) continue;
    const last = stats.get(number) ?? noCounters();
    director.maps.slotZeros.set(number, last);
    director.maps.slotRates.set(number, { last, average: noCounters() });
  }
}
