// Our nftables table as a script for nft -f. It keeps a connection's gateway in its conntrack mark, and
// gives it back to packets that the LAN programs do not know.

import type { ConfigObjects } from '../model/objects.ts';
import { type Kept, nothingKept, onlyOf, planConfigChains, planConfigEntry } from './nft-config.ts';
import {
  type GatewayObject,
  gatewayMark,
  hex,
  type MarkBits,
  noGateway,
  refused,
  type Wanted,
} from './objects.ts';
import { planResolverNft } from './resolvers.ts';
import { planRouterNft } from './router-rules.ts';

interface MarkChains {
  chains: string[];
  save: string[];
  restore: string[];
  /** For the router's own answers. */
  output: string[];
  /** For the router's own questions. */
  own: string[];
}

/** What saves a decision in the conntrack mark and what restores it; the other bits stay. */
function planMarkChains(gateways: GatewayObject[], bits: MarkBits): MarkChains {
  const mask = hex(bits.mask);
  const rest = hex(~bits.mask >>> 0);
  const ids = gateways.map((gateway) => gateway.id).sort((a, b) => a - b);
  const mark = (id: number): string => hex(gatewayMark(id, bits));
  const jumps = (verb: string): string =>
    `vmap { ${ids.map((id) => `${mark(id)} : goto ${verb}_${id}`).join(', ')} }`;
  if (ids.length === 0) return { chains: [], save: [], restore: [], output: [], own: [] };
  const links = [...new Set(gateways.map(({ link }) => `"${link}"`))].sort();
  return {
    chains: ids.flatMap((id) => [
      `  chain save_${id} {\n    ct mark set ct mark & ${rest} | ${mark(id)}\n  }`,
      `  chain restore_${id} {\n    meta mark set meta mark & ${rest} | ${mark(id)}\n  }`,
    ]),
    save: [
      // Most have a mark of ours or none: a copy is cheaper than two marks made one.
      `    ct mark 0 ct mark set meta mark & ${mask} map { ${ids.map((id) => `${mark(id)} : ${mark(id)}`).join(', ')} } return`,
      `    meta mark & ${mask} ${jumps('save')}`,
    ],
    restore: [
      `    ct direction original ct mark & ${mask} ${jumps('restore')}`,
      // Answers to what a server was expected to open (active FTP, SIP): they come from the LAN.
      `    iifname != { ${links.join(', ')} } ct mark & ${mask} ${jumps('restore')}`,
    ],
    output: [`    ct direction reply ct mark & ${mask} ${jumps('restore')}`],
    own: [
      `    ct direction original meta mark & ${mask} == 0 ct mark & ${mask} ${jumps('restore')}`,
    ],
  };
}

/** A set of these marks, each of which may have the bits of a gateway. */
const marksOf = (fwmarks: number[], gateway = 0): string =>
  [...new Set(fwmarks)]
    .sort((a, b) => a - b)
    .map((fwmark) => hex((fwmark | gateway) >>> 0))
    .join(', ');

/**
 * What a service passed on for want of a gateway is known by conntrack, too, until it is answered: it has
 * no gateway's address, and is to begin anew once there is one. See forgetPassedOn.
 */
function planPassedOn(fwmarks: number[], bits: MarkBits): string[] {
  if (fwmarks.length === 0) return [];
  const none = gatewayMark(noGateway, bits);
  return [
    `    ct status & confirmed == 0 meta mark { ${marksOf(fwmarks, none)} } ct mark set ct mark | ${hex(none)}`,
  ];
}

/**
 * Hands off a connection that began without the director, and answers to one from outside: their
 * addresses are chosen. `confirmed` tells more than `established`: its first packet has left, even
 * if none was ever answered. Only marks of services: the admin's policy rules may ask for all bits
 * of any other.
 */
function planHandsOff(fwmarks: number[], bits: MarkBits): string[] {
  if (fwmarks.length === 0) return [];
  return [
    `ct status expected,confirmed meta mark & ${hex(~bits.mask >>> 0)} { ${marksOf(fwmarks)} } ` +
      `meta mark set meta mark | ${hex(bits.mask)}`,
  ];
}

/** A datagram that is scheduled for itself has no gateway to keep, in no direction. */
function planOnePacket(fwmarks: number[], bits: MarkBits): string[] {
  if (fwmarks.length === 0) return [];
  const rest = hex(~bits.mask >>> 0);
  return [`    meta l4proto udp meta mark & ${rest} { ${marksOf(fwmarks)} } return`];
}

/**
 * The router's own answers to a connection from outside leave by the link that it came in by, and its
 * questions to a resolver by that one's: the kernel routes them anew once they have a mark.
 */
function planOutput(
  config: ConfigObjects | undefined,
  { output, own }: MarkChains,
  bits: MarkBits,
): string[] {
  if (config === undefined) return [];
  const questions = planResolverNft(config, bits).output;
  const lines = [
    ...(config.inbound.length > 0 ? output : []),
    ...(questions.length > 0 ? [...own, ...questions] : []),
  ];
  if (lines.length === 0) return [];
  return [
    '  chain output {',
    '    type route hook output priority -140; policy accept;',
    ...lines,
    '  }',
  ];
}

/**
 * Tells the senders of refused packets: those of the LAN programs at once, those of the director once
 * they are routed. TCP always by a reset: ICMP is held back after a few packets a second, and Linux 6.9
 * and later go on trying when it says that there is no way. Those of the kernel's other words that UDP
 * sockets heed mean that somebody forbids it.
 *
 * What we send with that mark ourselves, in a server's name, is no connection's: see src/kernel/poke.ts.
 */
function planRefusals(bits: MarkBits): string[] {
  const isRefused = `meta mark & ${hex(bits.mask)} == ${hex(gatewayMark(refused, bits))}`;
  return [
    '  chain refuse {',
    '    meta l4proto tcp reject with tcp reset',
    '    reject with icmpx admin-prohibited',
    '  }',
    '  chain refuse_forward {',
    '    type filter hook forward priority -140; policy accept;',
    `    ${isRefused} goto refuse`,
    '  }',
    '  chain refuse_out {',
    '    type filter hook output priority raw; policy accept;',
    `    ${isRefused} notrack`,
    '  }',
    '  chain prerouting {',
    // After the admin's mangle rules (-150), whose --set-mark overwrites the gateway bits.
    '    type filter hook prerouting priority -140; policy accept;',
    `    meta mark & ${hex(bits.mask)} == 0 goto undecided`,
    // What we send in a server's name to the router itself has that mark here, too.
    `    ${isRefused} iifname != "lo" goto refuse`,
    '  }',
  ];
}

/**
 * The walk of a packet that has no gateway yet. Each chain asks what tells most packets apart, once: a question
 * that every packet is asked costs as much as all else that a rule does.
 */
function planUndecided(wanted: Wanted, restore: string[], bits: MarkBits): string[] {
  const { fwmarks, onePacket, config } = wanted;
  const mask = hex(bits.mask);
  const none = hex(gatewayMark(noGateway, bits));
  const handsOff = planHandsOff(fwmarks, bits);
  const fresh = config ? planConfigEntry(config).map((line) => `    ${line}`) : [];
  const ask = (question: string): string[] =>
    fresh.length > 0 ? [`    ${question} goto fresh`] : [];
  return [
    ...(fresh.length > 0 ? ['  chain fresh {', ...fresh, '  }'] : []),
    '  chain known {',
    ...restore,
    ...handsOff.map((line) => `    ct mark & ${mask} == ${none} ${line}`),
    ...ask('ct state new'),
    '  }',
    '  chain undecided {',
    ...planRouterNft(config?.router, bits).mark,
    ...planOnePacket(onePacket, bits),
    `    ct mark & ${mask} != 0 goto known`,
    // The first packet of a connection that nobody expected.
    ...ask('ct status & (expected | confirmed) == 0'),
    ...handsOff.map((line) => `    ${line}`),
    // One more before an answer.
    ...ask('ct state new'),
    '  }',
  ];
}

/** What keeps the decision: the usual packet, whose connection has it, is asked one thing. */
function planSave({ fwmarks, onePacket }: Wanted, save: string[], bits: MarkBits): string[] {
  return [
    '  chain save {',
    ...planOnePacket(onePacket, bits),
    ...save,
    ...planPassedOn(fwmarks, bits),
    '  }',
    '  chain postrouting {',
    '    type filter hook postrouting priority -140; policy accept;',
    `    ct mark & ${hex(bits.mask)} == 0 goto save`,
    '  }',
  ];
}

/** Our nftables table, made anew in one transaction; it takes over what is kept. */
export function planNft(given: Wanted, bits: MarkBits, kept: Kept = nothingKept): string {
  const { gateways } = given;
  const config = given.config && onlyOf(given.config, gateways);
  const wanted = { ...given, config };
  const marks = planMarkChains(gateways, bits);
  return [
    'table inet lvsj',
    'delete table inet lvsj',
    'table inet lvsj {',
    ...marks.chains,
    ...(config ? planConfigChains(config, bits, kept) : []),
    ...planOutput(config, marks, bits),
    ...planRouterNft(config?.router, bits).chains,
    ...planUndecided(wanted, marks.restore, bits),
    ...planRefusals(bits),
    ...planSave(wanted, marks.save, bits),
    '}',
    '',
  ].join('\n');
}
