// Gateways as an explanation names them: name, next hop, source address, and why one is refused.

import { addressFromWords } from '../model/address.ts';
import { type Applied, adminOf, gatewayKey, unavailableOf } from '../model/applied.ts';
import type { ServiceGatewayConfig, Snat } from '../model/config.ts';
import type { LinkAddress } from '../model/environment.ts';
import type { Candidate, ExplainedGateway, ExplainedPacket } from '../model/explanation.ts';
import { contains, withPrefix } from '../model/prefix.ts';
import { formatSnat } from '../model/snat.ts';
import { type Family, type ServiceKey, sameService } from '../model/table.ts';
import { noNextHop } from '../plan/hops.ts';
import type { GatewaySlot, Source } from './source.ts';
import { explainTiers } from './tiers.ts';

/** The configuration's name of a gateway, else its address; '' if there is none of this id. */
export function gatewayName({ applied, gateways }: Source, id: number): string {
  const [key] = Object.entries(applied?.gatewayIds ?? {}).find(([, known]) => known === id) ?? [];
  // Without the family: see gatewayKey.
  return key?.replace(/\/[46]$/, '') ?? gateways.get(id)?.address ?? '';
}

/** The kernel masquerades with an address of the next hop's network, else with the link's first. */
function masqueradeAddress(addresses: LinkAddress[], family: Family, via: string): string {
  const usable = addresses.filter((each) => each.family === family && each.global);
  const near = usable.find(({ address, length }) => contains(`${address}/${length}`, via));
  return (near ?? usable[0])?.address ?? 'no address';
}

/** The address that the packet leaves with. */
function sourceAddress(snat: Snat, packet: ExplainedPacket, masquerade: () => string): string {
  switch (snat.kind) {
    case 'masquerade':
      return masquerade();
    case 'address':
      return snat.address;
    case 'npt':
      return addressFromWords(withPrefix(snat.prefix, packet.client));
    case 'none':
      return packet.client;
  }
}

/** With the way in which it comes about, where that says more. */
function describeSource(snat: Snat, address: string): string {
  const words = formatSnat(snat);
  return words === address ? address : `${address} (${words})`;
}

export function explainGateway(
  source: Source,
  id: number,
  packet: ExplainedPacket,
): ExplainedGateway | null {
  const gateway = source.gateways.get(id);
  if (!gateway) return null;
  const { address, link } = gateway;
  const [via = ''] = address.split('%');
  const isNone = via === noNextHop[4] || via === noNextHop[6];
  const policy = source.applied?.objects.policies.find((each) => each.id === id);
  const addresses = source.environment.links.find(({ name }) => name === link)?.addresses ?? [];
  const masquerade = (): string => masqueradeAddress(addresses, packet.family, via);
  return {
    name: gatewayName(source, id),
    ...{ id, link, address: isNone ? '' : address },
    source: policy
      ? describeSource(policy.snat, sourceAddress(policy.snat, packet, masquerade))
      : '',
  };
}

/** Why a gateway of the configuration has no weight, or is not there at all. */
function whyAway(applied: Applied | undefined, name: string, family: Family): string | undefined {
  const unavailable = unavailableOf(applied, gatewayKey(name, family));
  if (unavailable) return `unavailable: ${unavailable}`;
  const told = adminOf(applied?.admin ?? {}, name);
  return told === 'enabled' ? undefined : `${told}; lvsj gateway ${name} enable`;
}

/** Below this a full gateway takes connections again: see bpf/slot.h. */
const lowerOf = ({ upper, lower }: GatewaySlot): number => lower || upper - Math.floor(upper / 4);

function refusalOf(slot: GatewaySlot, source: Source, family: Family): string {
  const gateway = source.gateways.get(slot.gateway);
  if (!slot.configured || !gateway?.present) return 'deleted';
  const away = whyAway(source.applied, gatewayName(source, slot.gateway), family);
  if (slot.weight === 0 || away) return away ?? 'weight 0';
  if (!slot.full) return '';
  return `full at ${slot.upper} connections, until fewer than ${lowerOf(slot)} are left`;
}

const absent = { id: 0, weight: 0, upper: 0, lower: 0, active: 0, inactive: 0, chosen: false };

/** Gateways that the configuration gives the service and that are not there. */
function absentCandidates({ applied }: Source, key: ServiceKey, there: Set<string>) {
  const config = applied?.config;
  return sharesOf(applied, key)
    .filter(({ gateway }) => !there.has(gateway))
    .filter(({ gateway }) =>
      config?.gateways.some(({ name, via }) => name === gateway && via[key.family]),
    )
    .map(({ gateway, tier }) => ({
      ...absent,
      ...{ gateway, tier },
      refused: whyAway(applied, gateway, key.family) ?? 'not there',
    }));
}

const sharesOf = (applied: Applied | undefined, { fwmark }: ServiceKey): ServiceGatewayConfig[] =>
  applied?.config.services.find((each) => each.fwmark === fwmark)?.gateways ?? [];

/** Those of all tiers; reason: how the gateway of this id was chosen. */
export function explainCandidates(
  source: Source,
  key: ServiceKey,
  { gateway: chosen, reason }: { gateway: number; reason: string },
): Candidate[] {
  const shares = sharesOf(source.applied, key);
  const candidates = source.readSlots(key).map((slot) => {
    const gateway = gatewayName(source, slot.gateway);
    const share = shares.find((each) => each.gateway === gateway);
    return {
      ...{ gateway, id: slot.gateway, tier: share?.tier ?? slot.tier + 1 },
      ...{ weight: slot.weight, upper: slot.upper, lower: slot.lower },
      ...{ active: slot.active, inactive: slot.inactive },
      refused: refusalOf(slot, source, key.family),
      chosen: slot.gateway === chosen,
    };
  });
  const there = new Set(candidates.map(({ gateway }) => gateway));
  const service = source.services.find((each) => sameService(each, key));
  const all = [...candidates, ...absentCandidates(source, key, there)];
  return explainTiers(all, { reason, service });
}
