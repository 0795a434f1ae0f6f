// What a configuration says of the router's own packets: the service that shares them out, and what is
// bound to a gateway.

import type { Config } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import type { BoundObject, ConfigObjects, RouterObject } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import type { ResolvedGateway } from './gateways.ts';
import { chooseSource, type OwnAddress } from './router-rules.ts';

/** Where it goes out. */
interface Outside {
  /** Those that have an id. */
  gateways: ResolvedGateway[];
  /** The gateways' links that are not the LAN's too. */
  outside: string[];
}

/** Of a link that is down the kernel takes no address as a source. */
function ownAddresses({ links }: Environment, family: Family): OwnAddress[] {
  return links
    .filter(({ up, loopback }) => up && !loopback)
    .flatMap(({ name, addresses }) =>
      addresses
        .filter((address) => address.family === family && address.global)
        .map(({ address }) => ({ link: name, address })),
    );
}

/** Families in which the service has a gateway: in the others there is nothing to share out. */
function planRouter(
  { router, services }: Config,
  environment: Environment,
  { gateways, outside }: Outside,
): RouterObject | undefined {
  const service = services.find(({ name }) => name === router);
  if (service === undefined) return undefined;
  const names = service.gateways.map(({ gateway }) => gateway);
  const sources: RouterObject['sources'] = {};
  for (const family of environment.families) {
    const source = chooseSource(family, ownAddresses(environment, family), outside);
    const served = gateways.some((each) => each.family === family && names.includes(each.name));
    if (served && source !== undefined) sources[family] = source;
  }
  return { fwmark: service.fwmark, sources };
}

/** On a link that is the LAN's too, an address names no gateway. */
const planBound = (environment: Environment, { gateways, outside }: Outside): BoundObject[] =>
  gateways
    .filter(({ link }) => outside.includes(link))
    .map(({ family, link, id }) => ({
      family,
      link,
      addresses: ownAddresses(environment, family)
        .filter((own) => own.link === link)
        .map(({ address }) => address),
      id,
    }));

export function planOwn(
  config: Config,
  environment: Environment,
  out: Outside,
): Pick<ConfigObjects, 'router' | 'bound'> {
  const router = planRouter(config, environment, out);
  return { ...(router && { router }), bound: planBound(environment, out) };
}
