// DNS resolvers of one provider: whoever asks them, the LAN or the router itself, does it by the gateway of
// that provider, whatever the rules, the service or the main table say. Others would get no answer there.

import { familyOf } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import type { ConfigObjects, ResolverObject } from '../model/objects.ts';
import type { ResolvedGateway } from './gateways.ts';
import { gatewayMark, hex, type MarkBits } from './objects.ts';

/** DNS, and DNS over TLS or QUIC. */
export const resolverPorts = [53, 853];
/** TCP, UDP. */
export const resolverProtocols = [6, 17];

const daddr = { 4: 'ip daddr', 6: 'ip6 daddr' } as const;
export const question = `meta l4proto { tcp, udp } th dport { ${resolverPorts.join(', ')} }`;

/** gateways: those that take new connections. What asks for another one's resolver takes its normal way. */
export const planResolvers = (
  config: Config,
  gateways: readonly ResolvedGateway[],
): ResolverObject[] =>
  gateways.flatMap(({ name, family, id }) => {
    const all = config.gateways.find((each) => each.name === name)?.resolvers ?? [];
    const addresses = all.filter((address) => familyOf(address) === family);
    return addresses.length > 0 ? [{ family, addresses, id }] : [];
  });

/** The chain, and the line of the router's own packets that leads to it. */
export function planResolverNft(
  { resolvers = [] }: ConfigObjects,
  bits: MarkBits,
): { chains: string[]; output: string[] } {
  if (resolvers.length === 0) return { chains: [], output: [] };
  return {
    chains: [
      '  chain resolvers {',
      ...resolvers.map(
        ({ family, addresses, id }) =>
          `    ${daddr[family]} { ${addresses.join(', ')} } meta mark set meta mark | ${hex(gatewayMark(id, bits))}`,
      ),
      '  }',
    ],
    // The router's own, with whatever source: SNAT by the mark gives it the right one.
    output: [
      `    meta mark & ${hex(bits.mask)} == 0 ct direction original ct state new ${question} jump resolvers`,
    ],
  };
}
