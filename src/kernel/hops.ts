// Gateways as the map of that name holds them <-> as src/plan/hops.ts plans them.

import { addressToWords } from '../model/address.ts';
import { type Hop, type KnownGateways, noNextHop } from '../plan/hops.ts';
import * as abi from './abi.gen.ts';
import { interfaceIndex } from './libbpf.ts';
import { gatewayAddress } from './read-table.ts';

const { GATEWAY_PRESENT, GATEWAY_SCOPED, GATEWAY_DOWN, GATEWAY_KEEPS_SOURCE } = abi.gatewayFlag;

export const isPresent = ({ flags }: abi.Gateway): boolean => (flags & GATEWAY_PRESENT) !== 0;

/** Those that have an id: an entry that was never used has no link. */
export function knownGateways(gateways: Map<number, abi.Gateway>): KnownGateways {
  const used = [...gateways].filter(([, { link }]) => link !== '');
  return new Map(
    used.map(([id, gateway]) => [
      id,
      {
        address: gatewayAddress(gateway),
        link: gateway.link,
        present: isPresent(gateway),
      },
    ]),
  );
}

const viaOf = ({ via, family }: Hop) => ({ word: addressToWords(via || noNextHop[family]) });

/** An entry if it is the gateway's own: it comes back then. Another may have had its id. */
export const returning = (hop: Hop, entry: abi.Gateway | undefined): abi.Gateway | undefined =>
  entry?.via.word.join() === viaOf(hop).word.join() ? entry : undefined;

/** The map entry of a gateway that is there. old: that of the same gateway before, if it had one. */
export function toGateway(hop: Hop, old: abi.Gateway | undefined): abi.Gateway {
  const kept = (old?.flags ?? 0) & (GATEWAY_DOWN | GATEWAY_KEEPS_SOURCE);
  return {
    via: viaOf(hop),
    ifindex: interfaceIndex(hop.link),
    flags: GATEWAY_PRESENT | (hop.scoped ? GATEWAY_SCOPED : 0) | kept,
    capacityDown: old?.capacityDown ?? 0n,
    capacityUp: old?.capacityUp ?? 0n,
    link: hop.link,
  };
}

/** The same gateway, known but not there. Nobody watches it any more, so it is not down when it comes back. */
export const withoutPresence = (gateway: abi.Gateway): abi.Gateway => ({
  ...gateway,
  flags: gateway.flags & ~(GATEWAY_PRESENT | GATEWAY_DOWN),
});
