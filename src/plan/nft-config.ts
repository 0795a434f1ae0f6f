// What a configuration adds to our nftables table: sets, rules, source addresses, answers that leave by
// the link that their connection came in by, and segments that fit a smaller link.

import { familyOf } from '../model/address.ts';
import type { ClampObject, ConfigObjects, GatewayPolicy, SetObject } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import { counterName, domainSetName, setName } from './nft-rules.ts';
import { directorPeer, gatewayMark, hex, type MarkBits, noGateway } from './objects.ts';
import { planResolverNft, question } from './resolvers.ts';

const families = [4, 6] as const satisfies Family[];
const addressType = { 4: 'ipv4_addr', 6: 'ipv6_addr' } as const;
const nfproto = { 4: 'meta nfproto ipv4', 6: 'meta nfproto ipv6' } as const;
/** IPv4's or IPv6's header and TCP's. */
const headerBytes = { 4: 40, 6: 60 } as const;

/** What a table that is made anew takes over from the one before it. */
export interface Kept {
  /** Counter -> what it has counted. */
  counters: Map<string, { packets: number; bytes: number }>;
  /** Set of domains -> elements in nftables' words, with the time that each has left. */
  elements: Map<string, string[]>;
}

export const nothingKept: Kept = { counters: new Map(), elements: new Map() };

const quoted = (links: string[]): string => `{ ${links.map((link) => `"${link}"`).join(', ')} }`;

function planSet({ name, prefixes, domains }: SetObject, kept: Kept): string[] {
  return families.flatMap((family) => {
    const mine = prefixes.filter((prefix) => familyOf(prefix) === family);
    const dns = domainSetName(name, family);
    const found = kept.elements.get(dns) ?? [];
    const elements = (list: string[]): string =>
      list.length > 0 ? ` elements = { ${list.join(', ')} };` : '';
    const type = `type ${addressType[family]};`;
    return [
      ...(mine.length > 0
        ? [
            `  set ${setName(name, family)} { ${type} flags interval; auto-merge;${elements(mine)} }`,
          ]
        : []),
      ...(domains.length > 0 ? [`  set ${dns} { ${type} flags timeout;${elements(found)} }`] : []),
    ];
  });
}

function planRulesChain({ rules }: ConfigObjects, bits: MarkBits): string[] {
  if (rules.length === 0) return [];
  const none = hex(gatewayMark(noGateway, bits));
  return [
    '  chain rules {',
    // To the router itself, to everybody: not ours to route, and not to be counted.
    '    fib daddr type != unicast return',
    ...rules.flatMap(({ name, lines, fwmark }) => {
      const mark = fwmark === 0 ? none : hex(fwmark);
      const decide = `counter name ${counterName(name)} meta mark set ${mark} return`;
      return lines.map((line) => `    ${line === '' ? '' : `${line} `}${decide}`);
    }),
    '  }',
  ];
}

/** `asked`: it has resolvers, which the router asks with an address that is none of this link's. */
function formatSnat({ family, snat }: GatewayPolicy, asked: boolean): string | undefined {
  const word = family === 4 ? 'ip' : 'ip6';
  switch (snat.kind) {
    case 'masquerade':
      return 'masquerade';
    case 'address':
      return `snat ${word} to ${snat.address}`;
    case 'npt':
      return `snat ip6 prefix to ip6 saddr map { ::/0 : ${snat.prefix} }`;
    case 'none':
      return asked ? 'fib saddr type local masquerade' : undefined;
  }
}

/**
 * While a gateway's link is away its packets go on by the main table. They get the address of the link
 * that they leave by: without one a provider would see the LAN's, and conntrack would keep it so when
 * the link is back. Masquerade forgets a connection that leaves by another link than before.
 */
const planAway = ({ outside }: ConfigObjects, family: Family): string[] =>
  outside.length === 0 ? [] : [`    oifname ${quoted(outside)} ${nfproto[family]} masquerade`];

function planSnat(config: ConfigObjects, bits: MarkBits): string[] {
  const { policies, resolvers = [] } = config;
  const lines = policies.flatMap((policy) => {
    const asked = resolvers.some(({ id }) => id === policy.id);
    const words = formatSnat(policy, asked);
    return words === undefined ? [] : [{ ...policy, words }];
  });
  if (lines.length === 0) return [];
  const jumps = lines.map(({ id }) => `${hex(gatewayMark(id, bits))} : goto snat_${id}`);
  return [
    ...lines.flatMap(({ id, family, link, snat, words }) => [
      `  chain snat_${id} {`,
      `    oifname "${link}" ${nfproto[family]} ${words}`,
      ...(snat.kind === 'none' ? [] : planAway(config, family)),
      '  }',
    ]),
    '  chain srcnat {',
    // Just before the admin's own, which then finds the address chosen.
    '    type nat hook postrouting priority 99; policy accept;',
    `    meta mark & ${hex(bits.mask)} vmap { ${jumps.join(', ')} }`,
    '  }',
  ];
}

/**
 * A SYN says how large the other side's segments may be: both directions pass here with one, and the
 * router's own connections too, which no chain of the forward hook would see.
 */
function planClamps({ clamps }: ConfigObjects): string[] {
  if (clamps.length === 0) return [];
  const lines = (word: string): string[] =>
    clamps.flatMap(({ link, mtu }: ClampObject) =>
      families.map(
        (family) =>
          `    ${word} "${link}" ${nfproto[family]} tcp flags & (syn|rst) == syn ` +
          `tcp option maxseg size > ${mtu - headerBytes[family]} tcp option maxseg size set ${mtu - headerBytes[family]}`,
      ),
    );
  return [
    '  chain clamp_in {',
    '    type filter hook prerouting priority -141; policy accept;',
    ...lines('iifname'),
    '  }',
    '  chain clamp_out {',
    '    type filter hook postrouting priority -141; policy accept;',
    ...lines('oifname'),
    '  }',
  ];
}

function planInbound({ inbound }: ConfigObjects, bits: MarkBits): string[] {
  if (inbound.length === 0) return [];
  const rest = hex(~bits.mask >>> 0);
  return [
    '  chain inbound {',
    `    ct mark & ${hex(bits.mask)} != 0 return`,
    ...inbound.map(
      ({ link, family, id }) =>
        `    iifname "${link}" ${nfproto[family]} ct mark set ct mark & ${rest} | ${hex(gatewayMark(id, bits))}`,
    ),
    '  }',
  ];
}

/** Without what belongs to gateways that are not there (any more). */
export function onlyOf(config: ConfigObjects, gateways: { id: number }[]): ConfigObjects {
  const ids = new Set(gateways.map(({ id }) => id));
  const isThere = ({ id }: { id: number }): boolean => ids.has(id);
  const { policies, inbound, resolvers = [] } = config;
  return {
    ...config,
    policies: policies.filter(isThere),
    inbound: inbound.filter(isThere),
    resolvers: resolvers.filter(isThere),
  };
}

/** Sets, counters and chains; they stand before the chains that lead to them. */
export function planConfigChains(config: ConfigObjects, bits: MarkBits, kept: Kept): string[] {
  const counters = [...new Set(config.rules.map(({ name }) => counterName(name)))];
  return [
    ...config.sets.flatMap((set) => planSet(set, kept)),
    ...counters.map((name) => {
      const { packets, bytes } = kept.counters.get(name) ?? { packets: 0, bytes: 0 };
      return `  counter ${name} { packets ${packets} bytes ${bytes} }`;
    }),
    ...planRulesChain(config, bits),
    ...planInbound(config, bits),
    ...planResolverNft(config, bits).chains,
    ...planSnat(config, bits),
    ...planClamps(config),
  ];
}

/** Where new connections without a gateway go: the chain `fresh`. */
export function planConfigEntry(config: ConfigObjects): string[] {
  const { lan, outside, rules, inbound, resolvers = [] } = config;
  // A packet that has a mark already is somebody else's business.
  const toRules = rules.length > 0 ? ['meta mark 0 goto rules'] : [];
  const toInbound = inbound.length > 0 ? [`iifname ${quoted(outside)} goto inbound`] : [];
  const toResolvers = resolvers.length > 0 ? [`${question} jump resolvers`] : [];
  const inside = [...toResolvers, ...toRules];
  if (lan.length === 0) {
    const away =
      inside.length > 0 && outside.length > 0 ? [`iifname ${quoted(outside)} return`] : [];
    return [...(inbound.length > 0 ? toInbound : away), ...inside];
  }
  return [
    // What the router shares out of its own comes in there.
    ...toResolvers.map((line) => `iifname ${quoted([...lan, directorPeer])} ${line}`),
    ...toRules.map((line) => `iifname ${quoted(lan)} ${line}`),
    ...toInbound,
  ];
}
