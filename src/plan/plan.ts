// The plan: from a configuration and what there is to what shall be. Pure; src/kernel/apply.ts carries it out.

import { familyOf } from '../model/address.ts';
import { type Applied, adminOf } from '../model/applied.ts';
import type { Config } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import { isDown } from '../model/health.ts';
import type { ConfigObjects } from '../model/objects.ts';
import type { AdminState } from '../model/state.ts';
import type { Table } from '../model/table.ts';
import { planConfigObjects } from './config-objects.ts';
import { type ResolvedGateway, resolveGateways } from './gateways.ts';
import { addressesOf, hopKey, type KnownGateways, planHops } from './hops.ts';
import { planResolvers } from './resolvers.ts';
import { planTable } from './services.ts';

/** What there is. */
export interface Have {
  table: Table;
  known: KnownGateways;
  applied:
    | (Pick<Applied, 'config' | 'gatewayIds' | 'objects'> & Partial<Pick<Applied, 'health'>>)
    | undefined;
  environment: Environment;
}

/** A gateway that keeps its id, and so its connections, while its next hop or link becomes another. */
export interface Move {
  id: number;
  address: string;
  link: string;
  /** See GatewayPolicy. */
  onlink: boolean;
  /** What it was. */
  from: string;
}

export interface Plan {
  gateways: ResolvedGateway[];
  moves: Move[];
  /** The table that there is, once the gateways in it have moved. */
  have: Table;
  table: Table;
  objects: ConfigObjects;
  /** By gatewayKey. */
  gatewayIds: Record<string, number>;
}

/** Gateways whose next hop or link is another now; not where one that is there has that address already. */
function planMoves(gateways: ResolvedGateway[], known: KnownGateways): Move[] {
  const owners = new Map(
    [...known].flatMap(([id, { address, present }]) => (present ? [[address, id] as const] : [])),
  );
  return gateways.flatMap(({ id, address, link, onlink }) => {
    const before = known.get(id);
    const same = before?.address === address && before.link === link;
    if (!before?.present || address === '' || same || (owners.get(address) ?? id) !== id) return [];
    owners.set(address, id);
    return [{ id, address, link, onlink, from: before.address }];
  });
}

const moved = (known: KnownGateways, moves: Move[]): KnownGateways =>
  new Map([
    ...known,
    ...moves.map(({ id, address, link }) => [id, { address, link, present: true }] as const),
  ]);

/** The table as it stands once the gateways in it have moved. */
function moveTable(table: Table, moves: Move[]): Table {
  const to = new Map(moves.map(({ from, address }) => [from, address]));
  const services = table.services.map((service) => ({
    ...service,
    gateways: service.gateways.map((gateway) => ({
      ...gateway,
      address: to.get(gateway.address) ?? gateway.address,
    })),
  }));
  return { ...table, services };
}

/** Two names of one next hop on one link would be one gateway: the file is refused before this. */
function giveIds(gateways: ResolvedGateway[], table: Table, known: KnownGateways) {
  const links = new Map(gateways.map(({ address, link }) => [address, link]));
  const addresses = addressesOf(
    table.services,
    gateways.map(({ address }) => address).filter((address) => address !== ''),
  );
  const hops = planHops(addresses, known, (_, address) => links.get(address) ?? '');
  return gateways.flatMap((gateway) => {
    const hop = hops.get(hopKey(familyOf(gateway.address), gateway.address));
    return hop ? [{ ...gateway, id: hop.id }] : [];
  });
}

const takesNew =
  (admin: Record<string, AdminState>, health: Applied['health']) =>
  ({ key, name, unavailable }: ResolvedGateway): boolean =>
    unavailable === '' &&
    adminOf(admin, name) === 'enabled' &&
    !isDown(health[key]?.health ?? 'up');

export function planConfig(
  config: Config,
  admin: Record<string, AdminState>,
  { table: have, known, applied, environment }: Have,
): Plan {
  const ids = applied?.gatewayIds ?? {};
  const gateways = resolveGateways(config, { environment, ids, known });
  const moves = planMoves(gateways, known);
  const before = applied?.config.services.map(({ fwmark }) => fwmark) ?? [];
  const from = moveTable(have, moves);
  const table = planTable(config, { gateways, admin, have: from, before });
  const numbered = giveIds(gateways, table, moved(known, moves));
  // Without its table and rule a gateway has none of its connections any more.
  const used = numbered.filter(({ name }) => adminOf(admin, name) !== 'disabled');
  return {
    gateways,
    moves,
    have: from,
    table,
    objects: {
      ...planConfigObjects(config, environment, used),
      resolvers: planResolvers(config, used.filter(takesNew(admin, applied?.health ?? {}))),
    },
    gatewayIds: nameIds(ids, numbered),
  };
}

/** A name that is gone keeps its id for when it comes back, unless another name has it now. */
function nameIds(before: Record<string, number>, gateways: ResolvedGateway[]) {
  const now = new Map(gateways.map(({ key, id }) => [key, id]));
  const used = new Set(now.values());
  const old = Object.entries(before).filter(([key, id]) => !now.has(key) && !used.has(id));
  return Object.fromEntries([...old, ...now]);
}
