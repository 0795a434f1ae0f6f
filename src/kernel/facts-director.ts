// The director of this network namespace, for lvsj doctor: what it has, and what it should have.

import type { Applied } from '../model/applied.ts';
import type { Link } from '../model/environment.ts';
import type { DirectorFacts, FastpathFacts, GatewayFact } from '../model/facts.ts';
import type { Family, Fastpath } from '../model/table.ts';
import { directorTable } from '../plan/objects.ts';
import { tryRun } from '../util/run.ts';
import { waitSync } from '../util/wait-sync.ts';
import { readApplied } from './applied.ts';
import { Names } from './config-names.ts';
import { Director, families } from './director.ts';
import { readFastpathState } from './fastpath.ts';
import { lanLinks, readLinks } from './link.ts';
import { timersArePinned } from './pin.ts';
import { type GatewayIdentity, readGatewayIdentities } from './read-gateways.ts';
import { isAttached } from './tc.ts';
import { nftRepair, readRepairs } from './write-table.ts';

/** An empty table is looked through once a second. */
const sweepMs = 2000;

function toGatewayFact(names: Names, gateway: GatewayIdentity): GatewayFact {
  const { name, family, id, address, link, admin, unavailable } = gateway;
  const config = names.gateways.find((each) => each.config.name === name)?.config;
  return {
    name: name === '' ? address || link : name,
    family,
    id,
    address,
    link,
    learnt: config?.via[family]?.kind === 'auto',
    mtu: config?.mtu ?? 0,
    snat: config?.snat[family] ?? null,
    unavailable: admin === 'enabled' ? unavailable : admin,
  };
}

/** Those of the configuration, and those that are there without one. */
const readGatewayFacts = (director: Director, applied: Applied | undefined): GatewayFact[] => {
  const names = new Names(applied);
  return readGatewayIdentities(director, applied)
    .filter(({ name, present }) => name !== '' || present)
    .map((gateway) => toGatewayFact(names, gateway));
};

function readServices(director: Director, applied: Applied | undefined): DirectorFacts['services'] {
  const names = new Names(applied);
  const services = [...director.maps.services()].filter(([{ tier }]) => tier === 0);
  return services.map(([{ family, fwmark }]) => ({
    name: `service ${names.serviceName(fwmark) || fwmark}`,
    family: family as Family,
    fwmark,
  }));
}

function hasProgram(family: Family): boolean {
  const argv = ['ip', `-${family}`, 'route', 'show', 'table', String(directorTable)];
  return /^default .*encap bpf/m.test(tryRun(argv).stdout);
}

const hasNftTable = (): boolean => tryRun(['nft', 'list', 'table', 'inet', 'lvsj']).status === 0;

function expiryIsAlive({ maps }: Director): boolean {
  const sweeps = (): number => maps.tableCounts.get(0)?.sweeps ?? 0;
  const before = sweeps();
  return waitSync(() => sweeps() !== before, sweepMs);
}

const lacksProgram = (link: Link): boolean => !isAttached(link, 'lan');

/** The programs come with the first gateway. */
function readLan(gateways: GatewayFact[], applied: Applied | undefined) {
  const uplinks = gateways.map(({ link }) => link);
  const lan = lanLinks(readLinks(), uplinks, applied?.objects.lan);
  const without = gateways.length > 0 ? lan.filter(lacksProgram) : [];
  return {
    lan: lan.map(({ name }) => name),
    lanWithoutPrograms: without.map(({ name }) => name),
  };
}

function readFastpath(director: Director, applied: Applied | undefined): FastpathFacts | null {
  if (!applied?.objects.fastpath) return null;
  const withIt = (wanted: Fastpath): string[] =>
    applied.config.services
      .filter(({ fastpath }) => fastpath === wanted)
      .map(({ name }) => `service ${name}`);
  const state = readFastpathState(director);
  return { state, careful: withIt('careful'), insisting: withIt('on') };
}

export function readDirectorFacts(): DirectorFacts | undefined {
  const director = Director.find();
  if (!director) return undefined;
  try {
    const applied = readApplied(director);
    const gateways = readGatewayFacts(director, applied);
    const repairs = readRepairs(director, applied);
    const timersPinned = timersArePinned();
    const { markMask, connectionLimit } = director.settings;
    return {
      file: applied?.file ?? '',
      markMask,
      connections: {
        now: director.maps.tableCounts.get(0)?.entries ?? 0,
        limit: connectionLimit,
      },
      gateways,
      services: readServices(director, applied),
      ...readLan(gateways, applied),
      timersPinned,
      expiryAlive: timersPinned && expiryIsAlive(director),
      // What is no command has checks of its own.
      repairs: repairs.filter((what) => what.startsWith('ip ')),
      withoutProgram: families().filter((family) => !hasProgram(family)),
      nftIsDamaged: repairs.includes(nftRepair) || !hasNftTable(),
      fastpath: readFastpath(director, applied),
    };
  } finally {
    director.close();
  }
}
