// What several checks ask of the facts.

import type {
  AddressFact,
  DirectorFacts,
  Facts,
  GatewayFact,
  LinkFact,
  RouteFact,
} from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { directorLink, directorPeer } from '../plan/objects.ts';
import { contains, lengthOf, networkOf } from './prefix.ts';

/** Those of the director that runs here. */
export const gatewaysOf = ({ director }: Facts): GatewayFact[] => director?.gateways ?? [];

export const gatewayLinks = (facts: Facts): string[] => [
  ...new Set(gatewaysOf(facts).map(({ link }) => link)),
];

/** The LAN's links. */
export const lanLinks = (facts: Facts): LinkFact[] =>
  facts.links.filter(({ name }) => facts.director?.lan.includes(name));

export const isOurLink = (name: string): boolean => name === directorLink || name === directorPeer;

/** Networks that this link's addresses lie in. */
export const networksOf = ({ addresses }: LinkFact, family: Family): string[] => [
  ...new Set(
    addresses
      .filter((address) => address.family === family && isGlobal(address))
      .map(({ address, length }) => networkOf(address, length)),
  ),
];

export const isGlobal = ({ scope }: AddressFact): boolean => scope === 'global' || scope === 'site';

export const isDefault = ({ to }: RouteFact): boolean => to === '0.0.0.0/0' || to === '::/0';

/** The main table's default routes. */
export const mainDefaults = ({ routes }: Facts, family: Family): RouteFact[] =>
  routes.filter(
    (route) =>
      route.family === family &&
      route.table === 'main' &&
      route.type === 'unicast' &&
      isDefault(route),
  );

/** The route that the main table has for an address. */
export function findRoute({ routes }: Facts, address: string): RouteFact | undefined {
  const found = routes.filter(({ table, to }) => table === 'main' && contains(to, address));
  return found.sort((a, b) => lengthOf(b.to) - lengthOf(a.to) || a.metric - b.metric)[0];
}

/** How a gateway is called in a sentence. */
export const gatewayName = ({ name, address }: GatewayFact): string =>
  name === address || address === '' ? `gateway ${name}` : `gateway ${name} (${address})`;

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** What puts right what the director made: the configuration once more, or a command that changes nothing. */
export const repair = ({ file }: DirectorFacts): string =>
  file === '' ? 'lvsj ipvsadm --set 0 0 0' : `lvsj apply ${file}`;

export const sysctl = (name: string, value: number): string =>
  `sysctl -w ${name.replaceAll('/', '.')}=${value}`;

/** The same services once more, after `between`: of a table that only lvsj ipvsadm made. */
export const anew = (between: string): string =>
  `lvsj ipvsadm -S > lvsj.saved && ${between} && lvsj ipvsadm -R < lvsj.saved`;

/** A director with the same table, and with these gateway bits. */
export function startAnew({ file, markMask, connections }: DirectorFacts, mask = markMask): string {
  if (file === '')
    return anew(
      `lvsj stop && lvsj start --connections ${connections.limit} --mark-mask ${hex(mask)}`,
    );
  const again = `lvsj stop && lvsj apply ${file}`;
  return mask === markMask ? again : `write "mark-mask: ${hex(mask)}" in ${file}, then ${again}`;
}
