// What happens to a director's link in an ISP's hands: no carrier, another prefix, and a reconnect,
// after which the link has its old name and is another one for the kernel. Leases: src/lab/dhcp.ts.

import { run } from '../util/run.ts';
import { waitUntil } from '../util/wait-until.ts';
import { formatAddress, formatLink, formatRoute, formatToken } from './batch.ts';
import { startClient, stopClient } from './dhcp.ts';
import { accessLink, core, customerAddresses, customerRule, planRouter } from './isps.ts';
import { inHost } from './place.ts';
import { type Isp, type Lab, namespaceOf } from './topology.ts';

/** The cable is pulled at the ISP, or put back: the director's end has no carrier. */
export async function setCarrier(lab: Lab, isp: Isp, on: boolean): Promise<void> {
  // IPv6 routes go with a link that goes down, also where its addresses stay.
  const again = on ? [`route replace ${isp.delegated} via ${prefixOf(lab, isp)}2`] : [];
  runIp(lab, isp.host, [`link set eth0 ${on ? 'up' : 'down'}`, ...again]);
  // Its state and not its carrier: up to a second passes before the kernel acts on that.
  const show = () => run(inHost(lab.name, 'director', ['ip', 'link', 'show', isp.link]));
  await waitUntil(`carrier of ${isp.link}: ${on}`, () => show().includes('state UP') === on);
}

/**
 * The ISP's customers get another /64 (`2001:db8:1003::`) in place of what they have. Where it
 * advertises, the director hears of both; else its admin has to.
 */
export function changePrefix(lab: Lab, isp: Isp, prefix: string): void {
  const old = prefixOf(lab, isp);
  const { rule, priority } = customerRule(6, `${prefix}/64`);
  const lines = [
    `addr add ${prefix}1/64 dev eth0 nodad`,
    `rule add pref ${priority} ${rule}`,
    `route replace ${isp.delegated} via ${prefix}2`,
    `addr del ${old}1/64 dev eth0`,
    `rule del pref ${priority} from ${old}/64`,
  ];
  runIp(lab, isp.host, lines, ['-6']);
  runIp(lab, 'internet', [`route add ${prefix}/64 via ${core(isp, 1).ipv6}`]);
}

/** The prefix that the ISP's customers have now: read from its rules, which stay when the link goes. */
function prefixOf(lab: Lab, isp: Isp): string {
  const argv = ['ip', '-json', '-6', 'rule', 'show'];
  const rules: { src: string; srclen?: number }[] = JSON.parse(
    run(inHost(lab.name, isp.host, argv)),
  );
  return rules.find(({ srclen }) => srclen === 64)!.src;
}

/** The director's link goes, with its addresses and routes, as a PPP connection that ends. */
export function removeLink(lab: Lab, isp: Isp): void {
  if (isp.access === 'dhcp') stopClient(lab, isp);
  runIp(lab, 'director', [`link del ${isp.link}`]);
}

/** It comes again, under its old name, with another number and, if told, another IPv4 address. */
export async function makeLink(lab: Lab, isp: Isp, address = isp.ipv4.address): Promise<void> {
  run(['ip', '-batch', '-'], { input: `${formatLink(lab, accessLink(isp))}\n` });
  const prefix = prefixOf(lab, isp);
  const now: Isp = {
    ...isp,
    ipv4: { ...isp.ipv4, address },
    ipv6: { address: `${prefix}2`, gateway: `${prefix}1`, prefix: `${prefix}/64` },
  };
  const { addresses, routes } = planRouter(now);
  runIp(lab, isp.host, ['link set eth0 up']);
  const token = isp.access === 'dhcp' ? [formatToken(isp)] : [];
  runIp(lab, 'director', [...token, `link set ${isp.link} up`]);
  runIp(lab, isp.host, [
    ...addresses.filter(({ link }) => link === 'eth0').map(formatAddress),
    ...routes.filter(({ to }) => to === isp.delegated).map(formatRoute),
  ]);
  if (isp.access === 'dhcp') return startClient(lab, isp);
  const gateways = [isp.ipv4.gateway, isp.ipv6.gateway];
  const own = lab.hosts.find(({ host }) => host === 'director')?.routes ?? [];
  runIp(lab, 'director', [
    ...customerAddresses(now).map(formatAddress),
    ...own.filter(({ via }) => gateways.includes(via)).map(formatRoute),
  ]);
}

function runIp(lab: Lab, host: string, lines: string[], options: string[] = []): void {
  const input = lines.map((line) => `${line}\n`).join('');
  run(['ip', ...options, '-n', namespaceOf(lab.name, host), '-batch', '-'], { input });
}
