// The kernel's objects that the director needs, as pure data: policy rules, gateway tables, the
// nftables table. What is wanted follows from gateways and services; diff.ts compares, src/kernel applies.

import type { Family } from '../model/table.ts';

/** The link that the director's route points to (one end of a veth pair), and its other end. */
export const directorLink = 'lvsj0';
export const directorPeer = 'lvsj0p';

/**
 * Tables and rule priorities: 20000 is below everything that asks for a low number (Tailscale
 * 5210, mwan3 1000-3000) and above wg-quick's, which take those just below main's 32766.
 */
export const base = 20000;
const end = base + 999;
/** The rules that lead to the director: one number for all, so that none moves when others go. */
const serviceRules = base + 901;

/** Table of the director's route, and of a gateway's default route. */
export const directorTable = base;
export const gatewayTable = (id: number): number => base + id;

/** The mark's gateway bits: eight in a row, and their place. */
export interface MarkBits {
  mask: number;
  shift: number;
}

/** "Decided: no gateway" (GATEWAY_NONE of abi.h). */
const noGateway = 255;

/** A gateway as the stack's tables need it. */
export interface GatewayObject {
  id: number;
  family: Family;
  /** Without a `%link`. */
  via: string;
  link: string;
}

/** What the plan follows from. */
export interface Wanted {
  gateways: GatewayObject[];
  /** Of the services. */
  fwmarks: number[];
  /** Of those among them that schedule each UDP packet for itself. */
  onePacket: number[];
  /** Those that this namespace routes. */
  families: Family[];
}

/** One policy rule; `selector` and `action` are words of `ip rule add`. */
export interface Rule {
  family: Family;
  priority: number;
  selector: string;
  action: string;
}

/** One default route of a gateway's table. */
export interface Route {
  family: Family;
  table: number;
  via: string;
  link: string;
}

export interface Objects {
  rules: Rule[];
  routes: Route[];
  /** Script for nft -f: the whole of our table, in one transaction. */
  nft: string;
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/**
 * `0x1000000/0xff000000`, as ip rule prints it. The mask always: `fwmark 0` without one has the
 * mask 0 and matches everything.
 */
export const markMatch = (value: number, mask: number): string =>
  `${value === 0 ? '0' : hex(value)}/${hex(mask)}`;

const gatewayMark = (id: number, bits: MarkBits): number => (id << bits.shift) >>> 0;

/** Ids of one high nibble stand together, so that a mark passes 15 + 16 rules at the most. */
function planGatewayRules(gateways: GatewayObject[], bits: MarkBits, family: Family): Rule[] {
  const ids = gateways
    .filter((gateway) => gateway.family === family)
    .map((gateway) => gateway.id)
    .sort((a, b) => a - b);
  const rules = ids.map((id) => ({
    family,
    priority: base + 100 + id,
    selector: `fwmark ${markMatch(gatewayMark(id, bits), bits.mask)}`,
    action: `lookup ${gatewayTable(id)}`,
  }));
  const nibbleMask = (0xf0 << bits.shift) >>> 0;
  const firsts = ids.filter((id, i) => id >= 16 && (ids[i - 1] ?? 0) >> 4 !== id >> 4);
  const jumps = firsts.map((id) => ({
    family,
    priority: base + 2 + (id >> 4),
    selector: `fwmark ${markMatch(gatewayMark(id & 0xf0, bits), nibbleMask)}`,
    action: `goto ${base + 100 + id}`,
  }));
  return [...jumps, ...rules];
}

/** So many services have a rule each; more share one that takes every mark. */
const exactServices = 32;

/**
 * What brings marked packets to the director. Exact where it can be: a mark of somebody else's
 * (Tailscale, wg-quick, Kubernetes) then never meets the director, which would set gateway bits in it.
 */
function planServiceRules(fwmarks: number[], bits: MarkBits, family: Family): Rule[] {
  const rest = ~bits.mask >>> 0;
  const marks = [...new Set(fwmarks)].sort((a, b) => a - b);
  const exact = marks.map((mark) => `fwmark ${markMatch(mark, rest)}`);
  const selectors = marks.length > exactServices ? [`not fwmark ${markMatch(0, rest)}`] : exact;
  const action = `lookup ${directorTable}`;
  return selectors.map((selector) => ({ family, priority: serviceRules, selector, action }));
}

/** The walk of a packet through the policy rules; each family has its own. */
function planRules({ gateways, fwmarks }: Wanted, bits: MarkBits, family: Family): Rule[] {
  const rule = (priority: number, selector: string, action: string): Rule => ({
    family,
    priority,
    selector,
    action,
  });
  return [
    // Unmarked traffic (most of a router's) pays for this one look and no more.
    rule(base, `fwmark ${markMatch(0, 0xffffffff)}`, `goto ${end}`),
    // Internal routes first: only what would take the default route is shared out. Before the
    // gateways' rules too, for replies may carry gateway bits: CONNMARK --restore-mark gives them.
    rule(base + 1, '', 'lookup main suppress_prefixlength 0'),
    rule(base + 2, `fwmark ${markMatch(gatewayMark(noGateway, bits), bits.mask)}`, `goto ${end}`),
    ...planGatewayRules(gateways, bits, family),
    // The router's own packets are never scheduled: on output the route runs no program, and
    // lvsj0 would swallow them.
    rule(serviceRules - 1, 'iif lo', `goto ${end}`),
    ...planServiceRules(fwmarks, bits, family),
    rule(end, '', 'nop'),
  ];
}

/** What saves a decision in the conntrack mark and what restores it; the other bits stay. */
function planMarkChains(gateways: GatewayObject[], bits: MarkBits) {
  const mask = hex(bits.mask);
  const rest = hex(~bits.mask >>> 0);
  const ids = gateways.map((gateway) => gateway.id).sort((a, b) => a - b);
  const mark = (id: number): string => hex(gatewayMark(id, bits));
  const jumps = (verb: string): string =>
    `vmap { ${ids.map((id) => `${mark(id)} : goto ${verb}_${id}`).join(', ')} }`;
  if (ids.length === 0) return { chains: [], save: [], restore: [] };
  const links = [...new Set(gateways.map(({ link }) => `"${link}"`))].sort();
  return {
    chains: ids.flatMap((id) => [
      `  chain save_${id} {\n    ct mark set ct mark & ${rest} | ${mark(id)}\n  }`,
      `  chain restore_${id} {\n    meta mark set meta mark & ${rest} | ${mark(id)}\n  }`,
    ]),
    save: [`    ct mark & ${mask} == 0 meta mark & ${mask} ${jumps('save')}`],
    restore: [
      `    ct direction original ct mark & ${mask} ${jumps('restore')}`,
      // Answers to what a server was expected to open (active FTP, SIP): they come from the LAN.
      `    iifname != { ${links.join(', ')} } ct mark & ${mask} ${jumps('restore')}`,
    ],
  };
}

/**
 * Hands off a connection that began without the director, and answers to one from outside: their
 * addresses are chosen. `confirmed` tells more than `established`: its first packet has left, even
 * if none was ever answered. Only marks of services: the admin's policy rules may ask for all bits
 * of any other.
 */
function planHandsOff(fwmarks: number[], bits: MarkBits): string[] {
  const mask = hex(bits.mask);
  const services = [...new Set(fwmarks)].sort((a, b) => a - b).map(hex);
  if (services.length === 0) return [];
  return [
    `    ct mark & ${mask} == 0 ct status expected,confirmed ` +
      `meta mark & ${hex(~bits.mask >>> 0)} { ${services.join(', ')} } meta mark set meta mark | ${mask}`,
  ];
}

/** A datagram that is scheduled for itself has no gateway to keep, in no direction. */
function planOnePacket(fwmarks: number[], bits: MarkBits): string[] {
  const marks = [...new Set(fwmarks)].sort((a, b) => a - b).map(hex);
  if (marks.length === 0) return [];
  const rest = hex(~bits.mask >>> 0);
  return [`    meta l4proto udp meta mark & ${rest} { ${marks.join(', ')} } return`];
}

/** Our nftables table, made anew in one transaction. */
function planNft({ gateways, fwmarks, onePacket }: Wanted, bits: MarkBits): string {
  const { chains, save, restore } = planMarkChains(gateways, bits);
  return [
    'table inet lvsj',
    'delete table inet lvsj',
    'table inet lvsj {',
    ...chains,
    '  chain prerouting {',
    // After the admin's mangle rules (-150), whose --set-mark overwrites the gateway bits.
    '    type filter hook prerouting priority -140; policy accept;',
    `    meta mark & ${hex(bits.mask)} != 0 return`,
    ...planOnePacket(onePacket, bits),
    ...restore,
    ...planHandsOff(fwmarks, bits),
    '  }',
    '  chain postrouting {',
    '    type filter hook postrouting priority -140; policy accept;',
    ...planOnePacket(onePacket, bits),
    ...save,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Everything that should be there for these gateways and services. */
export function planObjects(wanted: Wanted, bits: MarkBits): Objects {
  const { gateways, families } = wanted;
  return {
    rules: families.flatMap((family) => planRules(wanted, bits, family)),
    routes: gateways.map(({ id, family, via, link }) => ({
      family,
      table: gatewayTable(id),
      via,
      link,
    })),
    nft: planNft(wanted, bits),
  };
}

/** Whether a rule's priority or a table's number is one of ours. */
export const isOurs = (number: number): boolean => number >= base && number <= end;
