// A name server on the lab's internet host: every name is the internet host itself.

import { run } from '../util/run.ts';
import { directoryOf, inHost } from './place.ts';
import { internet, type Lab } from './topology.ts';

/** Ends with the lab. */
export function startDns(lab: Lab): void {
  const listen = [internet.ipv4[1], internet.ipv6[1]];
  const answers = [internet.ipv4[0], internet.ipv6[0]];
  const argv = [
    ...['dnsmasq', '--no-hosts', '--no-resolv', '--user=root', '--bind-interfaces'],
    `--pid-file=${directoryOf(lab.name)}/dns.pid`,
    ...listen.map((address) => `--listen-address=${address}`),
    ...answers.map((address) => `--address=/#/${address}`),
  ];
  // It goes into the background once it listens.
  run(inHost(lab.name, 'internet', argv));
}
