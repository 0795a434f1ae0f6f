// What the kernel of this network namespace answers where src/explain asks.

import type { FoundRoute, GatewaySlot, Source } from '../explain/source.ts';
import { familyOf } from '../model/address.ts';
import type { ExplainedPacket } from '../model/explanation.ts';
import { type Family, type ServiceKey, sameService } from '../model/table.ts';
import { maxGateways } from '../plan/hops.ts';
import { domainSetName } from '../plan/nft-rules.ts';
import { directorLink, gatewayTable } from '../plan/objects.ts';
import { type RunResult, tryRun } from '../util/run.ts';
import { readApplied } from './applied.ts';
import type { Director } from './director.ts';
import { dryRun } from './dry-run.ts';
import { readEnvironment } from './environment.ts';
import { knownGateways } from './hops.ts';
import { readServices, readSlots, readTable } from './read-table.ts';

interface IpRoute {
  type?: string;
  dst?: string;
  gateway?: string;
  via?: { host: string };
  dev?: string;
  table?: string;
}

/** fibmatch: the route itself, not what it makes of the one address. */
const getRoute = (address: string, words: string[] = []): RunResult =>
  tryRun(['ip', `-${familyOf(address)}`, '-json', 'route', 'get', 'fibmatch', address, ...words]);

function parseRoute({ status, stdout, stderr }: RunResult): FoundRoute | undefined {
  if (status !== 0)
    return /Network is unreachable/.test(stderr)
      ? undefined
      : { type: 'refused', to: '', via: '', link: '', gateway: 0 };
  const [route = {}] = JSON.parse(stdout) as IpRoute[];
  const { type = 'unicast', dst = '', dev = '' } = route;
  const via = route.gateway ?? route.via?.host ?? '';
  const gateway = gatewayOfTable(Number(route.table ?? 0));
  return { type: dev === directorLink ? 'director' : type, to: dst, via, link: dev, gateway };
}

const gatewayOfTable = (table: number): number =>
  table > gatewayTable(0) && table <= gatewayTable(maxGateways) ? table - gatewayTable(0) : 0;

function findRoute(packet: ExplainedPacket, fwmark: number): FoundRoute | undefined {
  const { client, server, link } = packet;
  const mark = fwmark === 0 ? [] : ['mark', String(fwmark)];
  if (link === '') return parseRoute(getRoute(server, ['from', client, ...mark]));
  const found = getRoute(server, ['from', client, 'iif', link, ...mark]);
  // Of a packet that it would not take (reverse path filter, no forwarding) the kernel tells no route.
  return parseRoute(found.status === 0 ? found : getRoute(server, mark));
}

function findLink(address: string): ReturnType<Source['findLink']> {
  const route = parseRoute(getRoute(address));
  return route && { link: route.link, local: route.type === 'local' };
}

interface NftSet {
  set?: { elem?: (string | { elem: { val: string } })[] };
}

/** Addresses that DNS put into a set; none where it is not there. */
function readDomains(set: string, family: Family): string[] {
  const name = domainSetName(set, family);
  const listing = tryRun(['nft', '-j', 'list', 'set', 'inet', 'lvsj', name]);
  if (listing.status !== 0) return [];
  const { nftables } = JSON.parse(listing.stdout) as { nftables: NftSet[] };
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map((element) => (typeof element === 'string' ? element : element.elem.val)),
  );
}

function readServiceSlots(director: Director, key: ServiceKey): GatewaySlot[] {
  const all = readSlots(director);
  const found = readServices(director, all).find(({ service }) => sameService(service, key));
  return (found?.slots ?? []).flatMap((number, i) => {
    const [slot, count] = [all.slots.get(number), all.counts.get(number)];
    if (!slot || !count) return [];
    const { gateway, weight, upper, lower, configured } = slot;
    const { active, inactive, overloaded } = count;
    const tier = found?.service.gateways[i]?.tier ?? 0;
    const states = { full: overloaded !== 0, configured: configured !== 0 };
    return [{ gateway, tier, weight, upper, lower, active, inactive, ...states }];
  });
}

/** As things are now: what is read at once is read once. */
export const explainSource = (director: Director): Source => ({
  applied: readApplied(director),
  environment: readEnvironment(),
  services: readTable(director).services,
  gateways: knownGateways(director.maps.gateways.all()),
  findRoute,
  findLink,
  readDomains,
  readSlots: (service) => readServiceSlots(director, service),
  dryRun: (service, flow) => dryRun(director, service, flow),
});
