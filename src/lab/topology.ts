// The lab as data: which hosts, links, addresses, routes and sysctls make a LAN, a director, N ISPs
// and an internet host. Pure: src/lab/batch.ts writes it as `ip` commands, src/lab/lab.ts runs them.

import type { Family } from '../model/table.ts';
import { UserError } from '../util/error.ts';
import {
  accessLink,
  core,
  customerAddresses,
  defaults,
  end,
  planIsps,
  planRouter,
} from './isps.ts';
import { beyond, host, learning, router } from './sysctls.ts';

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

/**
 * Where the director's address on an ISP's link comes from: an admin wrote it, DHCP and router
 * advertisements, or a point-to-point protocol (no neighbours, no Ethernet, a smaller MTU).
 */
export type Access = 'static' | 'dhcp' | 'ppp';

export interface Isp {
  number: number;
  host: string;
  access: Access;
  /** The director's link to it. */
  link: string;
  /** The internet host's link to it. */
  core: string;
  ipv4: IspFamily;
  ipv6: IspFamily;
  /** More IPv6 addresses for the customer, which the ISP routes to the director: for NPT. */
  delegated: string;
}

export interface Address {
  link: string;
  /** With its prefix length. */
  address: string;
  /** The other end's, of a point-to-point link. */
  peer?: string;
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
  /** How it is made, in the words of `ip link add`. */
  options?: string;
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

export interface LabOptions {
  name?: string;
  isps?: number;
  /** Numbers of ISPs with that access; the others are static. */
  dhcp?: number[];
  ppp?: number[];
}

/** Plans a lab; refuses a name that could not be part of a namespace and of a path. */
export function planLab(options: LabOptions = {}): Lab {
  const { name = 'lab' } = options;
  checkLabName(name);
  const isps = planIsps(options);
  const clients = planClients();
  const hosts = [planLan(clients), planDirector(isps), ...isps.map(planRouter), planInternet(isps)];
  const links: Lab['links'] = [[end('lan', 'eth0'), end('director', 'eth0')]];
  for (const isp of isps) {
    links.push(accessLink(isp));
    links.push([end(isp.host, 'eth1'), end('internet', isp.core)]);
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

/** Client k is 10.0.0.k and 2001:db8:10::k, with the same digits. */
function planClients(): Lab['clients'] {
  const numbers = Array.from({ length: 32 }, (_, index) => 11 + index);
  return {
    ipv4: numbers.map((k) => `10.0.0.${k}`),
    ipv6: numbers.map((k) => `2001:db8:10::${k}`),
  };
}

export type PlainHost = Omit<Host, 'namespace'>;

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
  // What comes by DHCP is not planned: its client sets the address and the default route.
  const known = isps.filter(({ access }) => access !== 'dhcp');
  const [first] = isps as [Isp];
  return {
    host: 'director',
    sysctls: known.length < isps.length ? learning() : router(),
    addresses: [
      { link: 'eth0', address: '10.0.0.1/24' },
      { link: 'eth0', address: '2001:db8:10::1/64' },
      ...known.flatMap((isp) => customerAddresses(isp)),
    ],
    routes: known.includes(first)
      ? defaults({ ipv4: first.ipv4.gateway, ipv6: first.ipv6.gateway })
      : [],
    rules: [],
  };
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
        { link: isp.core, address: `${core(isp, 2).ipv4}/30` },
        { link: isp.core, address: `${core(isp, 2).ipv6}/64` },
      ]),
    ],
    routes: isps.flatMap((isp) => [
      { to: isp.ipv4.prefix, via: core(isp, 1).ipv4, src: ipv4 },
      { to: isp.ipv6.prefix, via: core(isp, 1).ipv6, src: ipv6 },
      { to: isp.delegated, via: core(isp, 1).ipv6, src: ipv6 },
    ]),
    rules: [],
  };
}
