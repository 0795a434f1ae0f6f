// A planned lab as `ip -batch` input: one for the machine, then one inside each namespace. Pure.

import type { Family } from '../model/table.ts';
import type { Host, Lab } from './topology.ts';

/** Makes the namespaces and the links between them: run once, on the machine. */
export function formatMachineBatch(lab: Lab): string {
  const namespaces = new Map(lab.hosts.map((host) => [host.host, host.namespace]));
  const lines = lab.hosts.map((host) => `netns add ${host.namespace}`);
  // Before the links exist, because a link copies the defaults of its namespace when it is made.
  for (const { namespace, sysctls } of lab.hosts) {
    const settings = Object.entries(sysctls).map(([key, value]) => `${key}=${value}`);
    lines.push(`netns exec ${namespace} sysctl -q -w ${settings.join(' ')}`);
  }
  for (const [a, b] of lab.links) {
    // Both ends are born in their namespace under their final name: no name of the machine is touched.
    lines.push(
      `link add ${a.link} netns ${namespaces.get(a.host)} type veth ` +
        `peer name ${b.link} netns ${namespaces.get(b.host)}`,
    );
  }
  return join(lines);
}

/** Brings a host's links up: of all hosts first, because a link has no carrier before its peer is up. */
export function formatLinksBatch(lab: Lab, host: Host): string {
  const ends = lab.links.flat().filter((end) => end.host === host.host);
  return join(['lo', ...ends.map((end) => end.link)].map((link) => `link set ${link} up`));
}

/** A host's addresses, routes and rules of one family, for `ip -4` or `ip -6`: needs its links up. */
export function formatHostBatch(host: Host, family: Family): string {
  const ours = (address: string) => address.includes(':') === (family === 6);
  const lines = host.addresses
    .filter(({ address }) => ours(address))
    .map(({ link, address }) => `addr add ${address} dev ${link}${family === 6 ? ' nodad' : ''}`);
  for (const { to, via, src } of host.routes.filter((route) => ours(route.to))) {
    lines.push(`route add ${to} via ${via}${src ? ` src ${src}` : ''}`);
  }
  for (const { priority, rule } of host.rules.filter((rule) => rule.family === family)) {
    lines.push(`rule add pref ${priority} ${rule}`);
  }
  return join(lines);
}

const join = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
