// Each gateway: its link, its address there, its next hop, and whether that answers.

import type { Facts, GatewayFact, LinkFact } from '../model/facts.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { contains } from './prefix.ts';
import { findRoute, gatewayName, gatewaysOf, isGlobal, networksOf } from './view.ts';

/** A gateway that nobody uses now is no reason for an alarm. */
const judge = ({ unavailable }: GatewayFact) => (unavailable === '' ? error : warning);

function findLinkProblem(gateway: GatewayFact, link: LinkFact | undefined): Found | undefined {
  const name = gatewayName(gateway);
  if (!link)
    return judge(gateway)(
      `${name}: there is no link ${gateway.link}`,
      'make the link, or give the gateway another one (ip link lists them)',
    );
  if (!link.up)
    return judge(gateway)(`${name}: ${link.name} is down`, `ip link set ${link.name} up`);
  if (!link.carrier)
    return judge(gateway)(
      `${name}: ${link.name} has no carrier`,
      `look at the cable of ${link.name}, and at what is at its other end`,
    );
  return undefined;
}

/** IPv6 has a link-local address everywhere, which no server on the internet can answer. */
function findAddressProblem(gateway: GatewayFact, link: LinkFact): Found | undefined {
  const { family, snat } = gateway;
  if (snat?.kind === 'none' || snat?.kind === 'npt') return undefined;
  if (link.addresses.some((address) => address.family === family && isGlobal(address)))
    return undefined;
  return judge(gateway)(
    `${gatewayName(gateway)}: ${link.name} has no IPv${family} address that packets could leave with`,
    `ip addr add ADDRESS/LENGTH dev ${link.name}, with what the provider gave you`,
  );
}

function findHopProblem(facts: Facts, gateway: GatewayFact, link: LinkFact): Found | undefined {
  const [address = '', scope] = gateway.address.split('%');
  if (address === '' || address.startsWith('fe80:') || scope !== undefined) return undefined;
  const name = gatewayName(gateway);
  const route = findRoute(facts, address);
  if (route && route.link !== link.name && route.via === '')
    return judge(gateway)(
      `${name}: the main table looks for ${address} on ${route.link} (${route.to}), not on ${link.name}`,
      `ip -${gateway.family} route replace ${address} dev ${link.name}`,
    );
  if (route?.link === link.name && route.via === '') return undefined;
  if (networksOf(link, gateway.family).some((network) => contains(network, address)))
    return undefined;
  return judge(gateway)(
    `${name}: ${address} is in no network of ${link.name}`,
    `correct the gateway's address, or: ip -${gateway.family} route replace ${address} dev ${link.name}`,
  );
}

const silent = ['FAILED', 'INCOMPLETE'];

function findSilence(facts: Facts, gateway: GatewayFact, link: LinkFact): Found | undefined {
  const address = gateway.address.replace(/%.*$/, '');
  if (address === '' || !link.resolves) return undefined;
  const neighbour = facts.neighbours.find(
    (each) => each.address === address && each.link === link.name,
  );
  if (!neighbour || !silent.includes(neighbour.state)) return undefined;
  return judge(gateway)(
    `${gatewayName(gateway)}: nobody answers for ${address} on ${link.name} (neighbour ${neighbour.state})`,
    `look whether the provider's router is on, and whether ${address} is its address`,
  );
}

/** The first thing that is wrong: what follows from it is no news. */
function findProblem(facts: Facts, gateway: GatewayFact): Found | undefined {
  const link = facts.links.find(({ name }) => name === gateway.link);
  return (
    findLinkProblem(gateway, link) ??
    (link &&
      (findAddressProblem(gateway, link) ??
        findHopProblem(facts, gateway, link) ??
        findSilence(facts, gateway, link)))
  );
}

export const gateways: Check = {
  name: 'gateways',
  find: (facts) => gatewaysOf(facts).flatMap((gateway) => findProblem(facts, gateway) ?? []),
};

export const sameGateway: Check = {
  name: 'same-gateway',
  find: (facts) => {
    const byHop = Map.groupBy(
      gatewaysOf(facts).filter(({ address }) => address !== ''),
      ({ family, address, link }) => `${family} ${address} ${link}`,
    );
    return [...byHop.values()]
      .filter((same) => same.length > 1)
      .map((same) =>
        warning(
          `gateways ${same.map(({ name }) => name).join(' and ')} are one: both lead to ${same[0]?.address} on ${same[0]?.link}`,
          'remove all but one; its weight says how much it gets',
        ),
      );
  },
};
