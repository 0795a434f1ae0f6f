// The ISPs of a planned lab: their addresses, their routers, and the director's links to them. Pure.

import type { Family } from '../model/table.ts';
import { UserError } from '../util/error.ts';
import { beyond } from './sysctls.ts';
import {
  type Access,
  type Address,
  type Isp,
  type LabOptions,
  type LinkEnd,
  maxIsps,
  type PlainHost,
  type PolicyRule,
  type Route,
} from './topology.ts';

/** Of PPP over Ethernet. */
export const pppMtu = 1492;

/** The ISPs of a lab, in order. */
export function planIsps({ isps: count = 2, dhcp = [], ppp = [] }: LabOptions): Isp[] {
  if (!Number.isInteger(count) || count < 1 || count > maxIsps) {
    throw new UserError(`a lab has 1 to ${maxIsps} ISPs, not ${count}`, 2);
  }
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const wrong = [...dhcp, ...ppp].find((number) => !numbers.includes(number));
  if (wrong !== undefined) throw new UserError(`there is no ISP ${wrong} among ${count}`, 2);
  const both = dhcp.find((number) => ppp.includes(number));
  if (both !== undefined) throw new UserError(`ISP ${both} is either by DHCP or by PPP`, 2);
  return numbers.map((number) =>
    planIsp(number, dhcp.includes(number) ? 'dhcp' : ppp.includes(number) ? 'ppp' : 'static'),
  );
}

/** ISP 1 and 2 are those of the recipe in docs; the others come from the carriers' shared range. */
function planIsp(number: number, access: Access): Isp {
  const net = ['', '192.0.2', '203.0.113'][number] ?? `100.64.${number}`;
  // Not `db8:10` for ISP 10 (nor for 16, in hexadecimal): that is the LAN.
  const net6 = `2001:db8:${number < 10 ? number : 100 + number}:`;
  return {
    number,
    host: `isp${number}`,
    access,
    link: `${access === 'ppp' ? 'ppp' : 'eth'}${number}`,
    core: `eth${number}`,
    ipv4: { address: `${net}.2`, gateway: `${net}.1`, prefix: `${net}.0/24` },
    ipv6: { address: `${net6}:2`, gateway: `${net6}:1`, prefix: `${net6}:/64` },
    delegated: `${net6.slice(0, -1)}:100::/56`,
  };
}

/** The link between an ISP (side 1) and the internet host (side 2): in no prefix that is balanced. */
export const core = (isp: Isp, side: 1 | 2) => ({
  ipv4: `10.255.${isp.number}.${side}`,
  ipv6: `2001:db8:fe:${isp.number}::${side}`,
});

/** The director's addresses on an ISP's link. */
export const customerAddresses = ({ link, access, ipv4, ipv6 }: Isp): Address[] => [
  access === 'ppp'
    ? { link, address: ipv4.address, peer: `${ipv4.gateway}/32` }
    : { link, address: `${ipv4.address}/24` },
  { link, address: `${ipv6.address}/64` },
];

/** The ISP's router. */
export function planRouter(isp: Isp): PlainHost {
  const own = core(isp, 1);
  return {
    host: isp.host,
    sysctls: beyond(),
    addresses: [
      isp.access === 'ppp'
        ? { link: 'eth0', address: isp.ipv4.gateway, peer: `${isp.ipv4.address}/32` }
        : { link: 'eth0', address: `${isp.ipv4.gateway}/24` },
      { link: 'eth0', address: `${isp.ipv6.gateway}/64` },
      { link: 'eth1', address: `${own.ipv4}/30` },
      { link: 'eth1', address: `${own.ipv6}/64` },
    ],
    routes: [...defaults(core(isp, 2)), { to: isp.delegated, via: isp.ipv6.address }],
    rules: [
      ...customersOnly(4, [isp.ipv4.prefix]),
      ...customersOnly(6, [isp.ipv6.prefix, isp.delegated]),
    ],
  };
}

/**
 * As real ISPs do (BCP 38): no source address but the customer's own. Without it a packet that takes
 * the wrong link with the right address would still be answered, by the other ISP, and hide the fault.
 * Rules and not rp_filter, because IPv6 has none.
 */
function customersOnly(family: Family, prefixes: string[]): PolicyRule[] {
  return [
    ...prefixes.map((prefix) => customerRule(family, prefix)),
    { family, priority: 20, rule: 'iif eth0 prohibit' },
  ];
}

export const customerRule = (family: Family, prefix: string): PolicyRule => ({
  family,
  priority: 10,
  rule: `from ${prefix} iif eth0 lookup main`,
});

/**
 * The link between the director and an ISP. Two ends with one hardware address and no ARP are a
 * point-to-point link: every packet of one is for the other, and nobody asks for neighbours.
 */
export function accessLink({ number, access, link, host }: Isp): [LinkEnd, LinkEnd] {
  if (access !== 'ppp') return [end('director', link), end(host, 'eth0')];
  const hex = number.toString(16).padStart(2, '0');
  const options = `mtu ${pppMtu} address 02:00:00:00:00:${hex} arp off`;
  return [
    { host: 'director', link, options },
    { host, link: 'eth0', options },
  ];
}

export const end = (host: string, link: string): LinkEnd => ({ host, link });

export function defaults(via: { ipv4: string; ipv6: string }): Route[] {
  return [
    { to: '0.0.0.0/0', via: via.ipv4 },
    { to: '::/0', via: via.ipv6 },
  ];
}
