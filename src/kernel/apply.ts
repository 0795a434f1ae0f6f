// Carries out the plan of a configuration. Every step leaves traffic flowing: whoever is killed between
// two of them leaves what the next one starts from. The caller holds the lock.

import { isDeepStrictEqual } from 'node:util';
import { type Applied, gatewayKey, unavailableOf } from '../model/applied.ts';
import type { Config } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import type { GatewayHealth } from '../model/health.ts';
import type { GatewayPolicy } from '../model/objects.ts';
import { settingRules } from '../model/setting.ts';
import type { AdminState, PlanState } from '../model/state.ts';
import { describePlan } from '../plan/describe.ts';
import { toHop } from '../plan/hops.ts';
import { gatewayTable } from '../plan/objects.ts';
import { type Move, type Plan, planConfig } from '../plan/plan.ts';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import { readApplied, writeApplied } from './applied.ts';
import { writeCapacity } from './capacity.ts';
import type { Director } from './director.ts';
import { prepareFastPath } from './fastpath.ts';
import { setDown } from './gateway-down.ts';
import { knownGateways, toGateway } from './hops.ts';
import { failBack } from './leave.ts';
import { interfaceIndex } from './libbpf.ts';
import { readNftDigest } from './nft.ts';
import { replaceRoutes } from './objects.ts';
import { readTable } from './read-table.ts';
import { nftRepair, readRepairs, writeTable } from './write-table.ts';

export interface ApplyInput {
  config: Config;
  /** Where it came from. */
  file: string;
  environment: Environment;
  /** What admins told gateways; as it was where not said. */
  admin?: Record<string, AdminState>;
  /** What was found since what is applied was written; by gatewayKey. */
  health?: Readonly<Record<string, GatewayHealth>>;
  /** Also what others took away or changed in the kernel. */
  repair: boolean;
  /** What comes back unless somebody confirms in time; null: this is for good. As it was where not said. */
  unconfirmed?: Applied['unconfirmed'];
}

/** What is, and what shall be. */
export interface Outlook {
  applied: Applied | undefined;
  have: ReturnType<typeof readTable>;
  plan: Plan;
  admin: Record<string, AdminState>;
}

/** Reads what there is and plans; changes nothing. */
export function lookAhead(director: Director, input: ApplyInput): Outlook {
  refuseRestart(director, input.config);
  const applied = readApplied(director);
  const have = readTable(director);
  const known = knownGateways(director.maps.gateways.all());
  const names = new Set(input.config.gateways.map(({ name }) => name));
  const told = Object.entries(input.admin ?? applied?.admin ?? {});
  const admin = Object.fromEntries(told.filter(([name]) => names.has(name)));
  const { config, environment } = input;
  return {
    applied,
    have,
    admin,
    plan: planConfig(config, admin, { table: have, known, applied, environment }),
  };
}

/** What was done. */
export interface Done {
  before: Applied | undefined;
  applied: Applied;
  /** As foreseen, and what was put right. */
  state: PlanState;
}

/** Brings the kernel to what the configuration says; a second time it changes nothing. */
export function applyConfig(director: Director, input: ApplyInput): Done {
  const outlook = lookAhead(director, input);
  const { applied, plan } = outlook;
  const repairs = input.repair ? readRepairs(director, applied) : [];
  const state = describePlan({ config: input.config, ...outlook, repairs });
  const links = new Map(plan.gateways.map(({ address, link }) => [address, link]));
  const teaches = plan.objects.fastpath;
  for (const move of plan.moves) moveGateway(director, move, teaches, input.environment);
  refreshLinks(director);
  if (plan.objects.fastpath) prepareFastPath(director);
  const written = writeTable(director, () => plan.table, {
    findLink: (_, address) => links.get(address) ?? '',
    config: { before: applied?.objects, after: plan.objects },
    links: input.environment.links,
    repair: repairs.length > 0,
    renewNft: repairs.includes(nftRepair),
  });
  writeCapacities(director, input.config, outlook);
  writeSources(director, plan.objects.policies);
  const digest = written.objects ? readNftDigest() : undefined;
  const planned = nextApplied(input, outlook, digest);
  writeDown(director, planned);
  const next = failBack(director, applied, planned);
  writeSettings(director, input.config, next.generation);
  if (JSON.stringify(next) !== JSON.stringify(applied)) writeApplied(director, next);
  return { before: applied, applied: next, state };
}

/** What is fixed when a director starts. */
function refuseRestart({ settings }: Director, { markMask, connections }: Config): void {
  const hex = (mask: number): string => `0x${mask.toString(16)}`;
  const hint =
    'lvsj stop and lvsj apply change it, and end what the connections know of their gateways';
  if (markMask !== settings.markMask)
    throw new UserError(
      `mark-mask ${hex(markMask)}: the running director has ${hex(settings.markMask)}; ${hint}`,
    );
  if (connections !== settings.connectionLimit)
    throw new UserError(
      `connections ${connections}: the running director's table holds ${settings.connectionLimit}; ${hint}`,
    );
}

/** The route first: until the map says so, nobody knows the new next hop by its address. */
function moveGateway(
  { maps }: Director,
  { id, address, link, onlink }: Move,
  teaches: boolean,
  { links }: Environment,
): void {
  const hop = toHop(id, address, link, false);
  const { family, via } = hop;
  const table = gatewayTable(id);
  const route = { family, table, via, link, onlink, source: '', teaches };
  // A link that is down takes no route; it gets it when it is up.
  if (links.some(({ name, up }) => name === link && up)) replaceRoutes([route]);
  maps.gateways.set(id, toGateway(hop, maps.gateways.get(id)));
}

/** A link that went and came back under its name (ppp) has another number. */
function refreshLinks({ maps }: Director): void {
  for (const [id, gateway] of maps.gateways.all()) {
    if (gateway.link === '') continue;
    const ifindex = interfaceIndex(gateway.link);
    if (ifindex !== 0 && ifindex !== gateway.ifindex)
      maps.gateways.set(id, { ...gateway, ifindex });
  }
}

/** One that the file does not tell, and did not, stays as lvsj gateway NAME capacity told it. */
function writeCapacities(director: Director, config: Config, { applied, plan }: Outlook): void {
  const before = new Map(applied?.config.gateways.map(({ name, capacity }) => [name, capacity]));
  for (const { name, capacity, via } of config.gateways) {
    const { down = 0, up = 0 } = before.get(name) ?? {};
    if (capacity.down + capacity.up + down + up === 0) continue;
    for (const family of Object.keys(via)) {
      const id = plan.gatewayIds[`${name}/${family}`] ?? 0;
      const gateway = director.maps.gateways.get(id);
      if (id === 0 || !gateway) continue;
      const { capacityDown, capacityUp } = gateway;
      if (Number(capacityDown) !== capacity.down || Number(capacityUp) !== capacity.up)
        writeCapacity(director, id, capacity);
    }
  }
}

/** Connections through gateways without SNAT can go on by another one of these. */
function writeSources({ maps }: Director, policies: GatewayPolicy[]): void {
  const { GATEWAY_KEEPS_SOURCE } = abi.gatewayFlag;
  for (const { id, snat } of policies) {
    const gateway = maps.gateways.get(id);
    if (!gateway) continue;
    const keeps = snat.kind === 'none' ? GATEWAY_KEEPS_SOURCE : 0;
    const flags = (gateway.flags & ~GATEWAY_KEEPS_SOURCE) | keeps;
    if (flags !== gateway.flags) maps.gateways.set(id, { ...gateway, flags });
  }
}

function writeSettings({ maps, settings }: Director, config: Config, generation: number): void {
  const told = settingRules.flatMap(({ name, field }) => {
    const value = config.settings[name];
    return value === undefined ? [] : [[field, value]];
  });
  const next = { ...settings, ...Object.fromEntries(told), generation };
  if (!isDeepStrictEqual(next, settings)) maps.settings.set(0, next);
}

/** What the link or the monitor says of each; a gateway that nobody says anything of is up. */
function writeDown(director: Director, { gatewayIds, ...applied }: Applied): void {
  const byDown = Object.groupBy(Object.entries(gatewayIds), ([key]) =>
    unavailableOf(applied, key) === undefined ? 'up' : 'down',
  );
  const ids = (entries: [string, number][] = []): number[] => entries.map(([, id]) => id);
  setDown(director, ids(byDown.up), false);
  setDown(director, ids(byDown.down), true);
}

/** Of the gateways that there are. */
function keptHealth(
  { health = {}, config }: ApplyInput,
  applied: Applied | undefined,
): Applied['health'] {
  const keys = new Set(
    config.gateways.flatMap(({ name }) => ([4, 6] as const).map((f) => gatewayKey(name, f))),
  );
  const all = Object.entries({ ...applied?.health, ...health });
  return Object.fromEntries(all.filter(([key]) => keys.has(key)));
}

function nextApplied(
  input: ApplyInput,
  { applied, plan, admin }: Outlook,
  nftDigest = applied?.nftDigest ?? readNftDigest(),
): Applied {
  const { config, file, unconfirmed } = input;
  const same = applied && JSON.stringify(applied.config) === JSON.stringify(config);
  const reasons = plan.gateways.filter((gateway) => gateway.unavailable !== '');
  return {
    config,
    file,
    generation: (applied?.generation ?? 0) + (same ? 0 : 1),
    appliedAt: same ? applied.appliedAt : new Date().toISOString(),
    admin,
    gatewayIds: plan.gatewayIds,
    unavailable: Object.fromEntries(reasons.map(({ key, unavailable }) => [key, unavailable])),
    health: keptHealth(input, applied),
    leaves: applied?.leaves ?? [],
    objects: plan.objects,
    nftDigest,
    unconfirmed: unconfirmed === undefined ? (applied?.unconfirmed ?? null) : unconfirmed,
  };
}
