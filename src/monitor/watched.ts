// Which gateways are watched, and what their probes need. Pure.

import { type Applied, adminOf, gatewayKey, healthOf } from '../model/applied.ts';
import type { MonitorConfig } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import type { Health } from '../model/health.ts';
import type { Family } from '../model/table.ts';
import { type KnownGateways, noNextHop } from '../plan/hops.ts';
import { gatewayMark, type MarkBits } from '../plan/objects.ts';
import type { ProbeTarget } from './types.ts';

export interface WatchedGateway {
  /** gatewayKey */
  key: string;
  name: string;
  family: Family;
  /** Its number in marks. */
  id: number;
  target: ProbeTarget;
  config: MonitorConfig;
  /** What of the link keeps connections away, in words; '' if nothing does. */
  problem: string;
  /** As it was known before. */
  start: Health;
}

const families = [4, 6] as const satisfies Family[];

/** The address that packets by this link have; a deprecated one is better than none. */
function sourceOf({ links }: Environment, link: string, family: Family): string {
  const facts = links.find(({ name }) => name === link);
  const own = facts?.addresses.filter((each) => each.family === family && each.global) ?? [];
  return (own.find(({ deprecated }) => !deprecated) ?? own[0])?.address ?? '';
}

/** By link and family: the id of the gateway that packets bound to the link go by, as in router-rules.ts. */
function firstOfLinks({ objects }: Applied): Map<string, number> {
  const all = (objects.bound ?? []).map(
    ({ link, family, id }) => [`${link}/${family}`, id] as const,
  );
  return new Map(all.toReversed());
}

/** Those of the configuration that have a number and may take connections, as far as the admin says. */
export function watchedGateways(
  applied: Applied,
  environment: Environment,
  known: KnownGateways,
  bits: MarkBits,
): WatchedGateway[] {
  const { config, admin, gatewayIds, unavailable } = applied;
  const firsts = firstOfLinks(applied);
  return config.gateways.flatMap(({ name, link, monitor, resolvers }) =>
    families.flatMap((family): WatchedGateway[] => {
      const key = gatewayKey(name, family);
      const id = gatewayIds[key] ?? 0;
      const hop = known.get(id);
      if (!hop?.present || adminOf(admin, name) === 'disabled') return [];
      const [via = ''] = hop.address.split('%');
      const nextHop = via === noNextHop[family] ? '' : via;
      const source = sourceOf(environment, link, family);
      return [
        {
          ...{ key, name, family, id, config: monitor },
          target: {
            ...{ gateway: name, link, family, nextHop, source, mark: gatewayMark(id, bits) },
            firstOfLink: firsts.get(`${link}/${family}`) === id,
            resolvers,
          },
          problem: unavailable[key] ?? '',
          start: healthOf(applied, key).health,
        },
      ];
    }),
  );
}
