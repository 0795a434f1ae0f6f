// Forgets connections that can't live on: the source address that they were given is none of their
// gateway's link any more. UDP goes on under the new address with its next datagram, TCP learns of its
// end from the server. Without this a flow that never falls silent (VPN, SIP) would stay dead for ever.

import ipaddr from 'ipaddr.js';
import type { LinkFacts } from '../model/environment.ts';
import type { GatewayPolicy } from '../model/objects.ts';
import { gatewayMark, type MarkBits, noGateway } from '../plan/objects.ts';
import {
  answerDump,
  bytesOf,
  type CtEntry,
  cta,
  ctMessage,
  entries,
  formatMarkFilter,
  formatMessage,
  nested,
  numberOf,
} from './ctnetlink.ts';

const udp = 17;
/** Bits of an entry's status, as linux/netfilter/nf_conntrack_common.h has them. */
const seenReply = 1 << 1;
const sourceNat = 1 << 4;
const destinationNat = 1 << 5;

/** The addresses, in hexadecimal, that connections of one gateway may have. */
export interface Sources {
  all: string[];
  /** Those of them that new connections get, too: a prefix that was withdrawn has none. */
  preferred: string[];
}

/** By the gateway bits. */
export type SourcesByMark = Map<number, Sources>;

const hexOf = (address: string): string =>
  Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex');

/** Of the gateways that masquerade, and have an address to do it with. */
export function sourcesOf(
  policies: GatewayPolicy[],
  links: LinkFacts[],
  bits: MarkBits,
): SourcesByMark {
  return new Map(
    policies.flatMap(({ id, family, link, snat }) => {
      const facts = links.find(({ name }) => name === link);
      const own = facts?.addresses.filter((each) => each.family === family && each.global) ?? [];
      if (snat.kind !== 'masquerade' || own.length === 0) return [];
      const preferred = own.filter(({ deprecated }) => !deprecated);
      const list = (addresses: typeof own) => addresses.map(({ address }) => hexOf(address));
      return [[gatewayMark(id, bits), { all: list(own), preferred: list(preferred) }] as const];
    }),
  );
}

/** A connection from outside has its destination changed, if anything, and is not ours to judge. */
function isStale({ attributes }: CtEntry, sources: SourcesByMark, mask: number): boolean {
  const found = sources.get((numberOf(attributes.get(cta.mark)) & mask) >>> 0);
  const status = numberOf(attributes.get(cta.status));
  if (!found || (status & (sourceNat | destinationNat)) !== sourceNat) return false;
  const reply = attributes.get(cta.tupleReply);
  const ip = nested(reply, cta.tuple.ip);
  const address = nested(ip, cta.ip.v4Destination) ?? nested(ip, cta.ip.v6Destination);
  const protocol = nested(nested(reply, cta.tuple.protocol), cta.protocol.number);
  if (!address || !protocol) return false;
  // Of what ends with its address nothing is gained by ending it while it may still work.
  const allowed = bytesOf(protocol)[0] === udp ? found.preferred : found.all;
  return !allowed.includes(bytesOf(address).toString('hex'));
}

/**
 * Began while our nftables table was gone, so without a gateway and with the sender's own address: it
 * may begin anew. Who got an answer found its way.
 */
function isLost({ attributes }: CtEntry, mask: number): boolean {
  const status = numberOf(attributes.get(cta.status));
  const isOurs = (numberOf(attributes.get(cta.mark)) & mask) !== 0;
  return !isOurs && (status & (seenReply | sourceNat | destinationNat)) === 0;
}

/**
 * Passed on by a service that had no gateway for it, with no address or another one than a gateway's would
 * be. Who got an answer found its way.
 */
function isPassedOn({ attributes }: CtEntry, bits: MarkBits): boolean {
  const mark = (numberOf(attributes.get(cta.mark)) & bits.mask) >>> 0;
  const isAnswered = (numberOf(attributes.get(cta.status)) & seenReply) !== 0;
  return mark === gatewayMark(noGateway, bits) && !isAnswered;
}

/** Messages for the entries of a dump that can't live on. */
export const planDrops = (part: Buffer, sources: SourcesByMark, mask: number): Buffer =>
  planDeletes([...entries(part)].filter((entry) => isStale(entry, sources, mask)));

/** For those that began while our table was gone. */
export const planLostDrops = (part: Buffer, mask: number): Buffer =>
  planDeletes([...entries(part)].filter((entry) => isLost(entry, mask)));

/** For those that a service passed on. */
export const planPassedOnDrops = (part: Buffer, bits: MarkBits): Buffer =>
  planDeletes([...entries(part)].filter((entry) => isPassedOn(entry, bits)));

function planDeletes(stale: CtEntry[]): Buffer {
  return Buffer.concat(
    stale.map(({ family, attributes }) =>
      formatMessage(ctMessage.delete, family, [
        attributes.get(cta.tupleOrig),
        attributes.get(cta.zone),
      ]),
    ),
  );
}

export function dropStale(sources: SourcesByMark, mask: number): void {
  if (sources.size > 0) answerDump((part) => planDrops(part, sources, mask));
}

export function dropLost(mask: number): void {
  answerDump((part) => planLostDrops(part, mask));
}

/** Once there is a gateway again. Without it who never falls silent would have none for ever. */
export function forgetPassedOn(bits: MarkBits): void {
  const filter = formatMarkFilter(gatewayMark(noGateway, bits), bits.mask);
  answerDump((part) => planPassedOnDrops(part, bits), filter);
}
