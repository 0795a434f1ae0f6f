// The kernel's objects that the director needs, as pure data: policy rules, gateway tables, the
// nftables table. What is wanted follows from gateways and services; diff.ts compares, src/kernel applies.

import type { ConfigObjects } from '../model/objects.ts';
import type { Family } from '../model/table.ts';
import { planNft } from './nft.ts';
import type { Kept } from './nft-config.ts';
import { hasOwnRules, planOwnRules, planRouterRoutes } from './router-rules.ts';

/** The link that the director's route points to (one end of a veth pair), and its other end. */
export const directorLink = 'lvsj0';
export const directorPeer = 'lvsj0p';

/**
 * Tables and rule priorities: 20000 is below everything that asks for a low number (Tailscale
 * 5210, mwan3 1000-3000) and above wg-quick's, which take those just below main's 32766.
 */
export const base = 20000;
export const end = base + 999;
/** Behind the rules of all gateways that there may be. */
const behindGateways = base + 400;
/** Routes of main but its default route. */
const internal = 'lookup main suppress_prefixlength 0';
/** The rules that lead to the director: one number for all, so that none moves when others go. */
const serviceRules = base + 901;

/** Table of the director's route, and of a gateway's default route. */
export const directorTable = base;
export const gatewayTable = (id: number): number => base + id;
/** Table of the route by which the router's own packets come to the director; no gateway's. */
export const routerTable = base + 255;
/** The rules for the router's own packets: see router-rules.ts. */
export const ownRules = base + 950;

/** The mark's gateway bits: eight in a row, and their place. */
export interface MarkBits {
  mask: number;
  shift: number;
}

/** "Decided: no gateway" (GATEWAY_NONE of abi.h). */
export const noGateway = 255;
/** "Decided: told that it can't be" (GATEWAY_REFUSED). */
export const refused = 254;

/** A gateway as the stack's tables need it. */
export interface GatewayObject {
  id: number;
  family: Family;
  /** Without a `%link`; '' where the link itself is the way. */
  via: string;
  link: string;
  /** The next hop need not lie in a network of the link's. */
  scoped: boolean;
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
  /** Links that are up: the kernel takes no route to another. Undefined: all are. */
  up?: string[];
  /** What a configuration adds. */
  config?: ConfigObjects;
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
  /** '' for none. */
  via: string;
  link: string;
  /** The next hop need not lie in a network of the link's. */
  onlink: boolean;
  /** The address that a packet gets which has none yet; '' where the kernel chooses. */
  source: string;
  /** lvsj_uplink_out sees what goes by it: the fast path learns. */
  teaches: boolean;
}

export interface Objects {
  rules: Rule[];
  routes: Route[];
  /** Script for nft -f: the whole of our table, in one transaction. */
  nft: string;
  /** The same, with what the table before it has counted and learnt. */
  nftKeeping: (kept: Kept) => string;
}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/**
 * `0x1000000/0xff000000`, as ip rule prints it. The mask always: `fwmark 0` without one has the
 * mask 0 and matches everything.
 */
export const markMatch = (value: number, mask: number): string =>
  `${value === 0 ? '0' : hex(value)}/${hex(mask)}`;

/** The gateway bits of a gateway. */
export const gatewayMark = (id: number, bits: MarkBits): number => (id << bits.shift) >>> 0;

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

/**
 * What the director has decided is routed once more, as if it came by its link (IPv4; bpf_lwt_input_reroute() of
 * net/core/lwt_bpf.c): no internal route was found the first time. A reverse-path check of what goes to the
 * director asks as if the answer came by that link, too, with no gateway: for that there is the second rule.
 */
function planAgain(gatewayRules: Rule[], family: Family): Rule[] {
  const first = gatewayRules[0];
  if (family === 6 || first === undefined) return [];
  const selector = `iif ${directorLink}`;
  return [
    { family, priority: base, selector, action: `goto ${first.priority}` },
    { family, priority: behindGateways + 1, selector, action: internal },
  ];
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
function planRules(wanted: Wanted, bits: MarkBits, family: Family): Rule[] {
  const { gateways, fwmarks } = wanted;
  // Both in one: they differ in the lowest bit.
  const decided = gatewayMark(refused & noGateway, bits);
  const own = hasOwnRules(wanted, family);
  const gatewayRules = planGatewayRules(gateways, bits, family);
  const rule = (priority: number, selector: string, action: string): Rule => ({
    family,
    priority,
    selector,
    action,
  });
  return [
    // Unmarked traffic (most of a router's) pays for this one look and no more, or for one that asks
    // whether it is the router's own.
    rule(base, `fwmark ${markMatch(0, 0xffffffff)}`, `goto ${own ? ownRules : end}`),
    ...planAgain(gatewayRules, family),
    // Internal routes first: only what would take the default route is shared out. Before the
    // gateways' rules too, for replies may carry gateway bits: CONNMARK --restore-mark gives them.
    rule(base + 1, '', internal),
    ...gatewayRules,
    // Behind them: most packets that are decided have a gateway.
    rule(behindGateways, `fwmark ${markMatch(decided, decided)}`, `goto ${end}`),
    // A mark brings none of the router's own packets to the director: on output its route runs no
    // program.
    rule(serviceRules - 1, 'iif lo', `goto ${end}`),
    ...planServiceRules(fwmarks, bits, family),
    ...planOwnRules(wanted, family),
    rule(end, '', 'nop'),
  ];
}

/** Everything that should be there for these gateways and services. */
export function planObjects(wanted: Wanted, bits: MarkBits): Objects {
  const { gateways, families, config, up } = wanted;
  const policies = new Map(config?.policies.map((policy) => [policy.id, policy]));
  return {
    rules: families.flatMap((family) => planRules(wanted, bits, family)),
    routes: [
      ...gateways
        .filter(({ link }) => up === undefined || up.includes(link))
        .map(({ id, family, via, link, scoped }) => ({
          family,
          table: gatewayTable(id),
          via,
          link,
          onlink: policies.get(id)?.onlink ?? (scoped && via !== '' && !via.startsWith('fe80:')),
          source: '',
          teaches: config?.fastpath ?? false,
        })),
      ...planRouterRoutes(wanted),
    ],
    nft: planNft(wanted, bits),
    nftKeeping: (kept) => planNft(wanted, bits, kept),
  };
}

/** Whether a rule's priority or a table's number is one of ours. */
export const isOurs = (number: number): boolean => number >= base && number <= end;
