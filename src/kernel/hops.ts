// Gateways as the map of that name holds them <-> as src/plan/hops.ts plans them.

import { addressToWords } from '../model/address.ts';
import { type Hop, type KnownGateways, noNextHop } from '../plan/hops.ts';
import * as abi from './abi.gen.ts';
import { interfaceIndex } from './libbpf.ts';
import { gatewayAddress } from './read-table.ts';

const { GATEWAY_PRESENT, GATEWAY_SCOPED } = abi.gatewayFlag;

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

/** The map entry of a gateway that is there. One that comes back keeps the capacity that it had. */
export function toGateway(hop: Hop, old: abi.Gateway | undefined): abi.Gateway {
  const via = { word: addressToWords(hop.via || noNextHop[hop.family]) };
  const known = old?.via.word.join() === via.word.join() ? old : undefined;
  return {
    via,
    ifindex: interfaceIndex(hop.link),
    flags: GATEWAY_PRESENT | (hop.scoped ? GATEWAY_SCOPED : 0),
    capacityDown: known?.capacityDown ?? 0n,
    capacityUp: known?.capacityUp ?? 0n,
    link: hop.link,
  };
}

/** The same gateway, known but not there. */
export const withoutPresence = (gateway: abi.Gateway): abi.Gateway => ({
  ...gateway,
  flags: gateway.flags & ~GATEWAY_PRESENT,
});
