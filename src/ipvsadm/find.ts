// Finding and ordering the entries of a table, as listings, saves and edits all need it.

import {
  type Service,
  type ServiceGateway,
  type ServiceKey,
  sameService,
  type Table,
} from '../model/table.ts';
import { parseIpv4, parseIpv6 } from './address.ts';

export const findService = (table: Table, key: ServiceKey): Service | undefined =>
  table.services.find((service) => sameService(service, key));

/**
 * By fwmark as a signed 32-bit number, then IPv4 before IPv6: ipvsadm's order, so marks from 2^31
 * on come first.
 */
export const sortServices = (services: readonly Service[]): Service[] =>
  services.toSorted((a, b) => (a.fwmark | 0) - (b.fwmark | 0) || a.family - b.family);

/**
 * By address as a number, then link, then port. A departure: ipvsadm compares 32-bit words by
 * subtraction that overflows (192.168.1.1 comes before 10.0.0.1, and three addresses can go round
 * in a circle), so its order depends on history and a saved and restored table would list
 * differently.
 */
export function sortGateways(gateways: readonly ServiceGateway[]): ServiceGateway[] {
  const keyed = gateways.map((gateway) => ({ gateway, key: addressKey(gateway.address) }));
  keyed.sort(
    (a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)) || a.gateway.port - b.gateway.port,
  );
  return keyed.map(({ gateway }) => gateway);
}

/** Text whose alphabetical order is the numeric order of the addresses. */
function addressKey(address: string): string {
  const [bare = '', link = ''] = address.split('%');
  const words = bare.includes(':') ? (parseIpv6(bare)?.parts ?? []) : [parseIpv4(bare) ?? 0];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('') + link;
}
