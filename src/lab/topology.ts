// The lab as data: which hosts, links, addresses, routes and sysctls make a LAN, a director, N ISPs
// and an internet host. Pure: src/lab/batch.ts writes it as `ip` commands, src/lab/lab.ts runs them.

import type { Family } from '../model/table.ts';
import { UserError } from '../util/error.ts';

export const maxIsps = 16;

/** The internet host's addresses: [0] is the one that clients use, the rest are extra servers. */
export const internet = {
  ipv4: ['198.51.100.10', '198.51.100.53'],
  ipv6: ['2001:db8:ffff::10', '2001:db8:ffff::53'],
} as const;

/** TCP ports of the internet host's HTTP server; TCP and UDP port 7 echo. */
export const httpPorts = [80, 443, 8080] as const;

/** One family's side of an ISP: the director's address there, the gateway, and the customer prefix. */
export interface IspFamily {
  address: string;
  gateway: string;
  prefix: string;
}

export interface Isp {
  number: number;
  host: string;
  /** The director's link to it. */
  link: string;
  ipv4: IspFamily;
  ipv6: IspFamily;
}

export interface Address {
  link: string;
  /** With its prefix length. */
  address: string;
}

export interface Route {
  to: string;
  via: string;
  /** Preferred source, where the outgoing link's own address would be the wrong one. */
  src?: string;
}

/** A policy rule, in the words of `ip rule`. */
export interface PolicyRule {
  family: Family;
  priority: number;
  rule: string;
}

export interface Host {
  /** As the command line names it: `lan`, `director`, `isp1`, `internet`. */
  host: string;
  namespace: string;
  sysctls: Record<string, string>;
  addresses: Address[];
  routes: Route[];
  rules: PolicyRule[];
}

export interface LinkEnd {
  host: string;
  link: string;
}

export interface Lab {
  name: string;
  hosts: Host[];
  /** Veth pairs. */
  links: [LinkEnd, LinkEnd][];
  isps: Isp[];
  clients: { ipv4: string[]; ipv6: string[] };
}

export function namespaceOf(name: string, host: string): string {
  return `lvsj-${name}-${host}`;
}

/** Plans a lab; refuses a name that could not be part of a namespace and of a path. */
export function planLab(options: { name?: string; isps?: number } = {}): Lab {
  const { name = 'lab', isps: count = 2 } = options;
  checkLabName(name);
  if (!Number.isInteger(count) || count < 1 || count > maxIsps) {
    throw new UserError(`a lab has 1 to ${maxIsps} ISPs, not ${count}`, 2);
  }
  const isps = Array.from({ length: count }, (_, index) => planIsp(index + 1));
  const clients = planClients();
  const hosts = [planLan(clients), planDirector(isps), ...isps.map(planRouter), planInternet(isps)];
  const links: Lab['links'] = [[end('lan', 'eth0'), end('director', 'eth0')]];
  for (const isp of isps) {
    links.push([end('director', isp.link), end(isp.host, 'eth0')]);
    links.push([end(isp.host, 'eth1'), end('internet', isp.link)]);
  }
  return {
    name,
    hosts: hosts.map((host) => ({ ...host, namespace: namespaceOf(name, host.host) })),
    links,
    isps,
    clients,
  };
}

export function checkLabName(name: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new UserError(`a lab's name is up to 32 of a-z, 0-9 and "-", not "${name}"`, 2);
  }
}

/** ISP 1 and 2 are those of the recipe in docs; the others come from the carriers' shared range. */
function planIsp(number: number): Isp {
  const net = ['', '192.0.2', '203.0.113'][number] ?? `100.64.${number}`;
  // Not `db8:10` for ISP 10 (nor for 16, in hexadecimal): that is the LAN.
  const net6 = `2001:db8:${number < 10 ? number : 100 + number}:`;
  return {
    number,
    host: `isp${number}`,
    link: `eth${number}`,
    ipv4: { address: `${net}.2`, gateway: `${net}.1`, prefix: `${net}.0/24` },
    ipv6: { address: `${net6}:2`, gateway: `${net6}:1`, prefix: `${net6}:/64` },
  };
}

/** The link between an ISP (side 1) and the internet host (side 2): in no prefix that is balanced. */
const core = (isp: Isp, side: 1 | 2) => ({
  ipv4: `10.255.${isp.number}.${side}`,
  ipv6: `2001:db8:fe:${isp.number}::${side}`,
});

/** Client k is 10.0.0.k and 2001:db8:10::k, with the same digits. */
function planClients(): Lab['clients'] {
  const numbers = Array.from({ length: 32 }, (_, index) => 11 + index);
  return {
    ipv4: numbers.map((k) => `10.0.0.${k}`),
    ipv6: numbers.map((k) => `2001:db8:10::${k}`),
  };
}

type PlainHost = Omit<Host, 'namespace'>;

function planLan(clients: Lab['clients']): PlainHost {
  return {
    host: 'lan',
    sysctls: host(),
    addresses: [
      ...clients.ipv4.map((address) => ({ link: 'eth0', address: `${address}/24` })),
      ...clients.ipv6.map((address) => ({ link: 'eth0', address: `${address}/64` })),
    ],
    routes: defaults({ ipv4: '10.0.0.1', ipv6: '2001:db8:10::1' }),
    rules: [],
  };
}

function planDirector(isps: Isp[]): PlainHost {
  const first = isps[0]!;
  return {
    host: 'director',
    sysctls: router(),
    addresses: [
      { link: 'eth0', address: '10.0.0.1/24' },
      { link: 'eth0', address: '2001:db8:10::1/64' },
      ...isps.flatMap((isp) => [
        { link: isp.link, address: `${isp.ipv4.address}/24` },
        { link: isp.link, address: `${isp.ipv6.address}/64` },
      ]),
    ],
    routes: defaults({ ipv4: first.ipv4.gateway, ipv6: first.ipv6.gateway }),
    rules: [],
  };
}

function planRouter(isp: Isp): PlainHost {
  const own = core(isp, 1);
  return {
    host: isp.host,
    sysctls: beyond(),
    addresses: [
      { link: 'eth0', address: `${isp.ipv4.gateway}/24` },
      { link: 'eth0', address: `${isp.ipv6.gateway}/64` },
      { link: 'eth1', address: `${own.ipv4}/30` },
      { link: 'eth1', address: `${own.ipv6}/64` },
    ],
    routes: defaults(core(isp, 2)),
    rules: [...customersOnly(4, isp.ipv4.prefix), ...customersOnly(6, isp.ipv6.prefix)],
  };
}

/**
 * As real ISPs do (BCP 38): no source address but the customer's own. Without it a packet that takes
 * the wrong link with the right address would still be answered, by the other ISP, and hide the fault.
 * Rules and not rp_filter, because IPv6 has none.
 */
function customersOnly(family: Family, prefix: string): PolicyRule[] {
  return [
    { family, priority: 10, rule: `from ${prefix} iif eth0 lookup main` },
    { family, priority: 20, rule: 'iif eth0 prohibit' },
  ];
}

function planInternet(isps: Isp[]): PlainHost {
  const [ipv4, ipv6] = [internet.ipv4[0], internet.ipv6[0]];
  return {
    host: 'internet',
    // It forwards, so that one ISP's customers reach the other's.
    sysctls: beyond(),
    addresses: [
      ...internet.ipv4.map((address) => ({ link: 'lo', address: `${address}/32` })),
      ...internet.ipv6.map((address) => ({ link: 'lo', address: `${address}/128` })),
      ...isps.flatMap((isp) => [
        { link: isp.link, address: `${core(isp, 2).ipv4}/30` },
        { link: isp.link, address: `${core(isp, 2).ipv6}/64` },
      ]),
    ],
    routes: isps.flatMap((isp) => [
      { to: isp.ipv4.prefix, via: core(isp, 1).ipv4, src: ipv4 },
      { to: isp.ipv6.prefix, via: core(isp, 1).ipv6, src: ipv6 },
    ]),
    rules: [],
  };
}

const end = (host: string, link: string): LinkEnd => ({ host, link });

function defaults(via: { ipv4: string; ipv6: string }): Route[] {
  return [
    { to: '0.0.0.0/0', via: via.ipv4 },
    { to: '::/0', via: via.ipv6 },
  ];
}

/** A new namespace copies the machine's IPv4 settings, so forwarding is said for every host. */
const host = () => ({ ...immediate, 'net.ipv4.ip_forward': '0' });
const router = () => ({
  ...immediate,
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
});

/** Without duplicate address detection IPv6 works at once and not a second later. */
const immediate = {
  'net.ipv6.conf.all.disable_ipv6': '0',
  'net.ipv6.conf.default.disable_ipv6': '0',
  'net.ipv6.conf.default.accept_dad': '0',
};

/** The hosts beyond the director, which a test may cut off and which must answer the same each time. */
const beyond = () => ({
  ...router(),
  // A second traceroute in the same second must see the same hops as the first.
  'net.ipv4.icmp_ratelimit': '0',
  'net.ipv6.icmp.ratelimit': '0',
  // An outage is a link set down and up again: only IPv6 would lose its addresses by it.
  'net.ipv6.conf.default.keep_addr_on_down': '1',
});
