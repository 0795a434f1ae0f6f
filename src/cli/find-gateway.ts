// Which gateways a word of the command line means.

import { parseServer } from '../ipvsadm/address.ts';
import type { GatewayState } from '../model/state.ts';
import { exit, UserError } from '../util/error.ts';

type Named = Pick<GatewayState, 'name' | 'id' | 'address' | 'link' | 'present'>;

/** An address, with the link where it says one: `192.0.2.1`, `192.168.1.1%eth1`, `[fe80::1%eth1]:0`. */
function parseHop(word: string): { address: string; link: string | undefined } | undefined {
  const link = /%([^\]:]+)/.exec(word)?.[1];
  const address = parseServer(word.replace(/%[^\]:]+/, ''))?.address;
  return address === undefined ? undefined : { address, link };
}

function matches(gateway: Named, word: string): boolean {
  const hop = parseHop(word);
  if (!hop) return gateway.id !== 0 && String(gateway.id) === word;
  const [address] = gateway.address.split('%');
  return address === hop.address && (hop.link === undefined || gateway.link === hop.link);
}

/** What is there goes before what was. */
function withoutDeleted<G extends Named>(gateways: G[]): G[] {
  const present = gateways.filter((gateway) => gateway.present);
  return present.length > 0 ? present : gateways;
}

/**
 * By its name, for which both families answer; by its address as ipvsadm takes and prints it (its port,
 * if any, means nothing), with the link where that alone tells which; or by its number.
 */
export function findGateways<G extends Named>(gateways: readonly G[], word: string): G[] {
  const named = gateways.filter(({ name }) => name !== '' && name === word);
  if (named.length > 0) return named;
  const found = withoutDeleted(gateways.filter((gateway) => matches(gateway, word)));
  if (found.length === 1) return found;
  const places = found.map(({ address, link }) => `${address.split('%')[0]}%${link}`);
  const why =
    found.length > 1
      ? `it may be any of ${places.join(', ')}`
      : 'the director has no such gateway (name it by its name, address or number)';
  throw new UserError(`gateway ${word}: ${why}; lvsj gateway lists them`, exit.list);
}
