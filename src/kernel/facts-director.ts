// The director of this network namespace, for lvsj doctor: what it has, and what it should have.

import type { Applied } from '../model/applied.ts';
import { gatewayKey } from '../model/applied.ts';
import type { DirectorFacts, GatewayFact } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { diffObjects } from '../plan/diff.ts';
import { directorTable, type Objects, planObjects } from '../plan/objects.ts';
import { tryRun } from '../util/run.ts';
import { waitSync } from '../util/wait-sync.ts';
import * as abi from './abi.gen.ts';
import { readApplied } from './applied.ts';
import { Director, families } from './director.ts';
import { noNextHop, presentHops } from './hops.ts';
import { type Link, lanLinks, readLinks } from './link.ts';
import { readNftDigest, stampOf } from './nft.ts';
import { readObjects } from './objects.ts';
import { timersArePinned } from './pin.ts';
import { gatewayAddress } from './read-table.ts';
import { tcQuery } from './tc.ts';

/** An empty table is looked through once a second. */
const sweepMs = 2000;

const isPresent = ({ flags }: abi.Gateway): boolean =>
  (flags & abi.gatewayFlag.GATEWAY_PRESENT) !== 0;

const addressOf = (gateway: abi.Gateway): string => {
  const address = gatewayAddress(gateway);
  return Object.values(noNextHop).includes(address.replace(/%.*$/, '')) ? '' : address;
};

/** Of the configuration: by name, whether they have a number yet or not. */
function configuredGateways(
  { config, gatewayIds, unavailable, admin }: Applied,
  known: Map<number, abi.Gateway>,
): GatewayFact[] {
  return config.gateways.flatMap(({ name, link, via, snat, mtu }) =>
    ([4, 6] as const).flatMap((family): GatewayFact[] => {
      const way = via[family];
      if (!way) return [];
      const key = gatewayKey(name, family);
      const id = gatewayIds[key] ?? 0;
      const gateway = known.get(id);
      const state = admin[name] ?? 'enabled';
      const told = way.kind === 'address' ? way.address : '';
      return [
        {
          name,
          family,
          id,
          address: gateway && isPresent(gateway) ? addressOf(gateway) : told,
          link: link,
          learnt: way.kind === 'auto',
          mtu,
          snat: snat[family],
          unavailable: state === 'enabled' ? (unavailable[key] ?? '') : state,
        },
      ];
    }),
  );
}

/** Those that only lvsj ipvsadm knows. */
function otherGateways(known: Map<number, abi.Gateway>, ids: number[]): GatewayFact[] {
  return [...known]
    .filter(([id, gateway]) => isPresent(gateway) && !ids.includes(id))
    .map(([id, gateway]) => {
      const address = addressOf(gateway);
      return {
        name: gatewayAddress(gateway),
        family: gatewayAddress(gateway).includes(':') ? 6 : 4,
        id,
        address,
        link: gateway.link,
        learnt: false,
        mtu: 0,
        snat: null,
        unavailable: '',
      };
    });
}

function readServices(director: Director, applied: Applied | undefined): DirectorFacts['services'] {
  return [...director.maps.services()].map(([{ family, fwmark }]) => {
    const configured = applied?.config.services.find((service) => service.fwmark === fwmark);
    const name = `service ${configured?.name ?? fwmark}`;
    return { name, family: family as Family, fwmark };
  });
}

/** What follows from its gateways and services as they are now. */
function wantedObjects(director: Director, links: Link[], applied: Applied | undefined): Objects {
  const services = [...director.maps.services()];
  const wanted = {
    gateways: [...presentHops(director.maps.gateways.all()).values()],
    fwmarks: services.map(([{ fwmark }]) => fwmark),
    onePacket: services.filter(([, { onePacket }]) => onePacket).map(([{ fwmark }]) => fwmark),
    families: families(),
    down: links.filter(({ up }) => !up).map(({ name }) => name),
  };
  const config = applied?.objects;
  return planObjects(config ? { ...wanted, config } : wanted, director.bits);
}

/** What it was when it was made, where that is known; else whether it says of itself that it is right. */
function nftIsDamaged(wanted: Objects, applied: Applied | undefined): boolean {
  const { status, stdout } = tryRun(['nft', 'list', 'table', 'inet', 'lvsj']);
  if (status !== 0) return true;
  if (applied && applied.nftDigest !== '') return applied.nftDigest !== readNftDigest();
  return !stdout.includes(stampOf(wanted.nft));
}

function hasProgram(family: Family): boolean {
  const argv = ['ip', `-${family}`, 'route', 'show', 'table', String(directorTable)];
  return /^default .*encap bpf/m.test(tryRun(argv).stdout);
}

function readDamage(director: Director, links: Link[], applied: Applied | undefined) {
  const wanted = wantedObjects(director, links, applied);
  const { add, remove } = diffObjects(readObjects(families()), wanted);
  const command = ({ family, words }: { family: Family; words: string }): string =>
    `ip -${family} ${words}`;
  return {
    missing: add.map(command),
    strange: remove.map(command),
    withoutProgram: families().filter((family) => !hasProgram(family)),
    nftIsDamaged: nftIsDamaged(wanted, applied),
  };
}

function expiryIsAlive({ maps }: Director): boolean {
  const sweeps = (): number => maps.tableCounts.get(0)?.sweeps ?? 0;
  const before = sweeps();
  return waitSync(() => sweeps() !== before, sweepMs);
}

function readGatewayFacts(director: Director, applied: Applied | undefined): GatewayFact[] {
  const known = director.maps.gateways.all();
  const configured = applied ? configuredGateways(applied, known) : [];
  return [
    ...configured,
    ...otherGateways(
      known,
      configured.map(({ id }) => id),
    ),
  ];
}

const lacksProgram = ({ ifindex }: Link): boolean =>
  (['ingress', 'egress'] as const).some((hook) => tcQuery(ifindex, hook) === undefined);

export function readDirectorFacts(): DirectorFacts | undefined {
  const director = Director.find();
  if (!director) return undefined;
  const applied = readApplied(director);
  const links = readLinks();
  const gateways = readGatewayFacts(director, applied);
  const uplinks = gateways.map(({ link }) => link);
  const lan = lanLinks(links, uplinks, applied?.objects.lan);
  const timersPinned = timersArePinned();
  return {
    configured: applied !== undefined,
    markMask: director.settings.markMask,
    connections: {
      now: director.maps.tableCounts.get(0)?.entries ?? 0,
      limit: director.settings.connectionLimit,
    },
    gateways,
    services: readServices(director, applied),
    lan: lan.map(({ name }) => name),
    // They come with the first gateway.
    lanWithoutPrograms: gateways.length > 0 ? lan.filter(lacksProgram).map(({ name }) => name) : [],
    timersPinned,
    expiryAlive: timersPinned && expiryIsAlive(director),
    ...readDamage(director, links, applied),
  };
}
