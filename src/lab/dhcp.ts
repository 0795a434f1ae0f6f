// An ISP that gives addresses: dnsmasq on its router (DHCP and router advertisements), udhcpc on the
// director. Both are the real programs, so leases, renewals and prefix changes are what a line shows.

import { readFileSync, writeFileSync } from 'node:fs';
import { UserError } from '../util/error.ts';
import { run, tryRun } from '../util/run.ts';
import { waitUntil } from '../util/wait-until.ts';
import { formatToken } from './batch.ts';
import { directoryOf, inHost } from './place.ts';
import type { Isp, Lab } from './topology.ts';

/** The shortest lease that dnsmasq gives; the client asks again after half of it. */
const leaseSeconds = 120;
/** What the client calls itself: by this, and not by its hardware address, the server knows it. */
const clientName = 'director';

const fileOf = (lab: Lab, isp: Isp, what: string): string =>
  `${directoryOf(lab.name)}/${isp.host}-${what}`;

/** The server's configuration; `file` says where it may keep its files. */
export function formatServer(isp: Isp, file: (what: string) => string): string {
  const lines = [
    // No DNS.
    'port=0',
    // By name and not bound to it: also when the link is made anew.
    'interface=eth0',
    'user=root',
    `pid-file=${file('dhcp.pid')}`,
    `log-facility=${file('dhcp.log')}`,
    `dhcp-leasefile=${file('leases')}`,
    `dhcp-hostsfile=${file('hosts')}`,
    'dhcp-authoritative',
    // It would ask for three seconds whether somebody has the address.
    'no-ping',
    `dhcp-range=${isp.ipv4.gateway},static,255.255.255.0,${leaseSeconds}`,
    `dhcp-option=option:router,${isp.ipv4.gateway}`,
    // Whatever prefix its link has: a new one is announced, and the old one as no longer to be used.
    'enable-ra',
    `dhcp-range=::,constructor:eth0,ra-only,64,${leaseSeconds}`,
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * What the client does with a lease, as Debian's own script does, but for names: a network namespace
 * has no resolv.conf of its own. The route stands behind those that an admin wrote (metric 0).
 */
export const leaseScript = (isp: Isp): string => `#!/bin/sh
case "$1" in
deconfig)
	ip link set "$interface" up
	ip -4 addr flush dev "$interface"
	;;
bound | renew)
	ip -4 addr replace "$ip/$mask" dev "$interface"
	ip -4 route replace default via "$router" dev "$interface" metric ${100 + isp.number}
	;;
esac
`;

/** Starts the server of one ISP; the address that it gives is the planned one. */
export function startServer(lab: Lab, isp: Isp): void {
  const file = (what: string) => fileOf(lab, isp, what);
  writeFileSync(file('dhcp.conf'), formatServer(isp, file));
  writeFileSync(file('lease'), leaseScript(isp), { mode: 0o755 });
  writeHosts(lab, isp, isp.ipv4.address);
  // It goes into the background once it listens.
  run(inHost(lab.name, isp.host, ['dnsmasq', `--conf-file=${file('dhcp.conf')}`]));
}

/** Starts the director's client, and waits for its addresses. */
export async function startClient(lab: Lab, isp: Isp): Promise<void> {
  const file = (what: string) => fileOf(lab, isp, what);
  // One id whatever the link's hardware address is, or a link made anew would be another customer.
  const options = `-C -x 0x3d:00${isp.number.toString(16).padStart(2, '0')} -x hostname:${clientName} -s ${file('lease')} -p ${file('client.pid')} -t 20 -T 1 -n`;
  // It goes into the background with its first lease, and would keep our end of a pipe.
  const script = `PATH=$PATH:/usr/sbin:/sbin
    exec udhcpc -i ${isp.link} ${options} > ${file('client.log')} 2>&1`;
  if (tryRun(inHost(lab.name, 'director', ['sh', '-c', script])).status !== 0) {
    const said = readFileSync(file('client.log'), 'utf8').trim();
    throw new UserError(`no lease on ${isp.link}: ${said} (the Debian package is udhcpc)`);
  }
  // Said again, it makes the kernel solicit an advertisement.
  run(inHost(lab.name, 'director', ['ip', ...formatToken(isp).split(' ')]));
  const addresses = () =>
    run(inHost(lab.name, 'director', ['ip', '-6', 'addr', 'show', 'dev', isp.link]));
  await waitUntil(
    `an IPv6 address on ${isp.link}`,
    () => addresses().includes('scope global'),
    10_000,
  );
}

export function stopClient(lab: Lab, isp: Isp): void {
  signal(lab, isp, 'client.pid', 'SIGTERM');
}

/** The server gives the client another address when it asks next; until then nothing happens. */
export async function changeLease(lab: Lab, isp: Isp, address: string): Promise<void> {
  const read = () => readFileSync(fileOf(lab, isp, 'dhcp.log'), 'utf8').split(': read /').length;
  const before = read();
  writeHosts(lab, isp, address);
  signal(lab, isp, 'dhcp.pid', 'SIGHUP');
  await waitUntil('a DHCP server that knows it', () => read() > before);
}

/**
 * The client renews now. If its address is refused, it gives that up at once and asks for a new one
 * after its pause of three seconds.
 */
export function renewLease(lab: Lab, isp: Isp): void {
  signal(lab, isp, 'client.pid', 'SIGUSR1');
}

function writeHosts(lab: Lab, isp: Isp, address: string): void {
  writeFileSync(fileOf(lab, isp, 'hosts'), `${clientName},${address}\n`);
}

function signal(lab: Lab, isp: Isp, pidFile: string, name: NodeJS.Signals): void {
  process.kill(Number(readFileSync(fileOf(lab, isp, pidFile), 'utf8')), name);
}
