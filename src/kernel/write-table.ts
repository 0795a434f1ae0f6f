// Brings the kernel from the table that it has to the one that is wanted: add before delete.

import { noCounters, type ServiceKey, type Table } from '../model/table.ts';
import { diffObjects } from '../plan/diff.ts';
import { type Objects, planObjects } from '../plan/objects.ts';
import * as abi from './abi.gen.ts';
import { type Director, families } from './director.ts';
import { type Hop, planHops, presentHops, toGateway } from './hops.ts';
import { closeFd } from './libbpf.ts';
import { findLink, lanLinks, readLinks } from './link.ts';
import { addObjects, removeObjects } from './objects.ts';
import { readSlots, readTable, type Slots } from './read-table.ts';
import { changeSysctls } from './sysctl.ts';
import { attachLan, detachLan, tcQuery } from './tc.ts';
import { ServiceWriter } from './write-services.ts';

const sameService = (a: ServiceKey, b: ServiceKey): boolean =>
  a.fwmark === b.fwmark && a.family === b.family;

/**
 * Reads the table, lets `edit` change it and makes the kernel follow. The caller holds the lock.
 * A refused edit, or a gateway without a link, changes nothing.
 */
export function writeTable(director: Director, edit: (table: Table) => Table): void {
  const all = readSlots(director);
  const have = readTable(director, all);
  const want = edit(have);
  const before = { hops: presentHops(all.gateways), ...marksOf(have) };
  const after = { hops: planHops(want.services, all.gateways, findLink), ...marksOf(want) };
  director.keepTime();
  addGateways(director, before, after);
  writeServices(director, all, have, want, new Map([...before.hops, ...after.hops]));
  writeTimeouts(director, want);
  removeGateways(director, all, before, after);
}

/** What the kernel's objects follow from. */
interface Base {
  hops: Map<string, Hop>;
  fwmarks: number[];
  onePacket: number[];
}

const marksOf = ({ services }: Table): Omit<Base, 'hops'> => ({
  fwmarks: services.map(({ fwmark }) => fwmark),
  onePacket: services.filter(({ onePacket }) => onePacket).map(({ fwmark }) => fwmark),
});

const hasAll = (these: number[], those: number[]): boolean => {
  const known = new Set(these);
  return those.every((mark) => known.has(mark));
};

/** Whether these are the marks of the same services, in the same roles. */
const hasMarks = (these: Base, those: Base): boolean =>
  hasAll(these.fwmarks, those.fwmarks) && these.onePacket.join() === those.onePacket.join();

const plan = ({ hops, ...marks }: Base, { bits }: Director): Objects =>
  planObjects({ gateways: [...hops.values()], ...marks, families: families() }, bits);

/** Objects, sysctls and LAN links of what is there and what comes; undone if any of it fails. */
function addGateways(director: Director, before: Base, after: Base): void {
  const fresh = [...after.hops.values()].filter((hop) => hop.fresh);
  const union = {
    hops: new Map([...before.hops, ...after.hops]),
    fwmarks: [...before.fwmarks, ...after.fwmarks],
    onePacket: after.onePacket,
  };
  const used = [...new Set([...union.hops.values()].map((hop) => hop.family))];
  try {
    if (fresh.length > 0 || !hasMarks(before, after)) addAll(director, before, union);
    if (fresh.length > 0) changeSysctls(director.maps, used, linksOf(after));
    // Each time: links come and go with nobody to tell us.
    if (after.hops.size > 0) attachLinks(director, linksOf(after));
  } catch (error) {
    removeObjects(plan(before, director), families());
    throw error;
  }
  const { gateways } = director.maps;
  for (const hop of fresh) gateways.set(hop.id, toGateway(hop, gateways.get(hop.id)));
}

function addAll(director: Director, before: Base, union: Base): void {
  const wanted = plan(union, director);
  addObjects(wanted, families());
  // One rule for all marks takes the place of many.
  const { remove } = diffObjects(plan(before, director), wanted);
  if (remove.length > 0) removeObjects(wanted, families());
}

const linksOf = ({ hops }: Base): string[] => [
  ...new Set([...hops.values()].map(({ link }) => link)),
];

/** The LAN programs on every link that is the LAN's, and on no gateway's. */
function attachLinks(director: Director, gatewayLinks: string[]): void {
  const links = readLinks();
  const lan = lanLinks(links, gatewayLinks);
  for (const link of lan) {
    const programs = director.lanPrograms(link.ethernet);
    try {
      attachLan(director.maps, link, programs);
    } finally {
      for (const fd of Object.values(programs)) closeFd(fd);
    }
  }
  for (const link of links)
    if (gatewayLinks.includes(link.name) && tcQuery(link.ifindex, 'ingress') !== undefined)
      detachLan(director.maps, link);
}

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
function removeGateways(director: Director, all: Slots, before: Base, after: Base): void {
  const gone = [...before.hops].filter(([key]) => !after.hops.has(key)).map(([, hop]) => hop);
  if (gone.length === 0 && hasMarks(after, before)) return;
  for (const { id } of gone) {
    const gateway = all.gateways.get(id);
    if (gateway) director.maps.gateways.set(id, { ...gateway, flags: 0 });
  }
  removeObjects(plan(after, director), families());
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
