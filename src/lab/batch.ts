// A planned lab as `ip -batch` input: one for the machine, then one inside each namespace. Pure.

import type { Family } from '../model/table.ts';
import {
  type Address,
  type Host,
  type Isp,
  type Lab,
  type LinkEnd,
  namespaceOf,
  type Route,
} from './topology.ts';

/** Makes the namespaces and the links between them: run once, on the machine. */
export function formatMachineBatch(lab: Lab): string {
  const lines = lab.hosts.map((host) => `netns add ${host.namespace}`);
  // Before the links exist, because a link copies the defaults of its namespace when it is made.
  for (const { namespace, sysctls } of lab.hosts) {
    const settings = Object.entries(sysctls).map(([key, value]) => `${key}=${value}`);
    lines.push(`netns exec ${namespace} sysctl -q -w ${settings.join(' ')}`);
  }
  return join([...lines, ...lab.links.map((ends) => formatLink(lab, ends))]);
}

/** Makes one link between two hosts. */
export function formatLink(lab: Lab, [a, b]: [LinkEnd, LinkEnd]): string {
  // Both ends are born in their namespace under their final name: no name of the machine is touched.
  const born = ({ host, link, options }: LinkEnd) =>
    `${link} netns ${namespaceOf(lab.name, host)}${options ? ` ${options}` : ''}`;
  return `link add ${born(a)} type veth peer name ${born(b)}`;
}

/** Brings a host's links up: of all hosts first, because a link has no carrier before its peer is up. */
export function formatLinksBatch(lab: Lab, host: Host): string {
  const ends = lab.links.flat().filter((end) => end.host === host.host);
  const learnt = host.host === 'director' ? lab.isps.filter(({ access }) => access === 'dhcp') : [];
  const links = ['lo', ...ends.map((end) => end.link)];
  return join([...learnt.map(formatToken), ...links.map((link) => `link set ${link} up`)]);
}

/** A host's addresses, routes and rules of one family, for `ip -4` or `ip -6`: needs its links up. */
export function formatHostBatch(host: Host, family: Family): string {
  const ours = (address: string) => address.includes(':') === (family === 6);
  const lines = host.addresses.filter(({ address }) => ours(address)).map(formatAddress);
  lines.push(...host.routes.filter(({ to }) => ours(to)).map(formatRoute));
  for (const { priority, rule } of host.rules.filter((rule) => rule.family === family)) {
    lines.push(`rule add pref ${priority} ${rule}`);
  }
  return join(lines);
}

/** The host's part of the addresses that a link learns; before it is up, or another would come first. */
export const formatToken = ({ link }: Isp): string => `token set ::2 dev ${link}`;

export const formatAddress = ({ link, address, peer }: Address): string =>
  `addr add ${address}${peer ? ` peer ${peer}` : ''} dev ${link}${address.includes(':') ? ' nodad' : ''}`;

export const formatRoute = ({ to, via, src }: Route): string =>
  `route add ${to} via ${via}${src ? ` src ${src}` : ''}`;

const join = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
