// Failback: who leaves a service's lower tiers, now that a gateway above takes connections again. It was
// away (down, without its link, drained by an admin), and what it would have had went to lower tiers.
// Which of the connections there it would have had nobody can tell from those that came while it was full;
// so all that began until it was back leave, and all that come later stay. A gateway that is new or gets
// its first weight takes nothing back. docs/failover.md tells it to people.

import { type Applied, adminOf, gatewayKey, type Leave, unavailableOf } from '../model/applied.ts';
import type { Config, ServiceConfig, ServiceGatewayConfig } from '../model/config.ts';
import type { Family } from '../model/table.ts';

/** What tells which gateways take connections. */
export type GatewayFacts = Pick<
  Applied,
  'config' | 'admin' | 'gatewayIds' | 'unavailable' | 'health'
>;

const families: readonly Family[] = [4, 6];

const has = ({ gateways }: Config, name: string, family: Family): boolean =>
  gateways.some((gateway) => gateway.name === name && gateway.via[family]);

/** Whether new connections go to a gateway: it is there, and nobody and nothing keeps them away. */
function isOpen(facts: GatewayFacts, name: string, family: Family): boolean {
  const { config, admin, gatewayIds } = facts;
  const key = gatewayKey(name, family);
  const isThere = has(config, name, family) && gatewayIds[key] !== undefined;
  const isAway = unavailableOf(facts, key) !== undefined;
  return isThere && !isAway && adminOf(admin, name) === 'enabled';
}

/** A service in one of its families. */
interface Place {
  service: ServiceConfig;
  family: Family;
}

const lowest = (tiers: number[]): number => Math.min(Number.POSITIVE_INFINITY, ...tiers);

/** The first tier that takes connections; infinite if none does. */
function openTier({ service, family }: Place, facts: GatewayFacts): number {
  const open = service.gateways.filter(
    ({ gateway, weight }) => weight > 0 && isOpen(facts, gateway, family),
  );
  return lowest(open.map(({ tier }) => tier));
}

/** Seconds from a recovery until connections leave; undefined: they never do. */
function patienceOf({ failback }: ServiceConfig): number | undefined {
  if (failback.kind === 'now') return 0;
  return failback.kind === 'drain' ? failback.seconds : undefined;
}

/** Its gateways that were away, and are not any more. */
function findReturned(
  { service, family }: Place,
  before: GatewayFacts,
  after: GatewayFacts,
): ServiceGatewayConfig[] {
  return service.gateways.filter(
    ({ gateway, weight }) =>
      weight > 0 &&
      has(before.config, gateway, family) &&
      !isOpen(before, gateway, family) &&
      isOpen(after, gateway, family),
  );
}

/** What begins with the change from one state to the next; nowS: as Leave has its times. */
function findFresh(
  { service, family }: Place,
  before: GatewayFacts,
  after: GatewayFacts,
  nowS: number,
): Leave[] {
  const patience = patienceOf(service);
  if (patience === undefined) return [];
  const tier = lowest(findReturned({ service, family }, before, after).map((each) => each.tier));
  if (!service.gateways.some((each) => each.tier > tier)) return [];
  return [{ fwmark: service.fwmark, family, tier, beganS: nowS, dueS: nowS + patience }];
}

/** One that waits is called off once nobody above takes connections, or its service says otherwise. */
function isValid({ fwmark, family, tier }: Leave, facts: GatewayFacts): boolean {
  const service = facts.config.services.find((each) => each.fwmark === fwmark);
  if (!service || patienceOf(service) === undefined) return false;
  return openTier({ service, family }, facts) <= tier;
}

/** Those that wait, and those that begin with the change from one state to the next; due or not. */
export function planLeaves(
  before: (GatewayFacts & Pick<Applied, 'leaves'>) | undefined,
  after: GatewayFacts,
  nowS: number,
): Leave[] {
  if (!before) return [];
  const fresh = after.config.services.flatMap((service) =>
    families.flatMap((family) => findFresh({ service, family }, before, after, nowS)),
  );
  return [...before.leaves.filter((leave) => isValid(leave, after)), ...fresh];
}

/** A gateway of a service, and what it is told now. */
export interface Told {
  fwmark: number;
  family: Family;
  /** Its name. */
  gateway: string;
  /** Connections that began until then must leave it, in seconds as Leave has its times; 0 = none. */
  leaveS: number;
}

/** What it is to be told. due: the leaves whose time has come. Nobody leaves the best tier that there is. */
export function leaveOf(told: Told, due: readonly Leave[], facts: GatewayFacts): number {
  const { fwmark, family, gateway, leaveS } = told;
  const service = facts.config.services.find((each) => each.fwmark === fwmark);
  const tier = service?.gateways.find((each) => each.gateway === gateway)?.tier;
  if (!service || tier === undefined) return leaveS;
  if (patienceOf(service) === undefined || openTier({ service, family }, facts) >= tier) return 0;
  const mine = due.filter(
    (each) => each.fwmark === fwmark && each.family === family && each.tier < tier,
  );
  return Math.max(leaveS, ...mine.map(({ beganS }) => beganS));
}
