// Others who share out traffic here, or take away what they do not know.

import { readFirewall } from '../firewall/firewall.ts';
import { type Check, warning } from './finding.ts';

/** Whom the names of their chains give away, and what ends them. */
const directors: { name: string; chains: RegExp; stop: string }[] = [
  { name: 'mwan3', chains: /^mwan3_/, stop: 'service mwan3 stop && service mwan3 disable' },
  { name: 'pbr', chains: /^pbr_/, stop: 'service pbr stop && service pbr disable' },
  { name: 'Shorewall', chains: /^(?:shorewall|tcpre|routemark)$/, stop: 'shorewall clear' },
  {
    name: 'the load balancer of VyOS',
    chains: /^(?:WANLOADBALANCE|wlb_)/,
    stop: 'delete load-balancing wan (in configure, then commit)',
  },
];

export const others: Check = {
  name: 'others',
  find: (facts) => {
    const chains = new Set(
      readFirewall(facts)
        .filter(({ ours }) => !ours)
        .flatMap(({ chain, jumps }) => [chain, ...jumps]),
    );
    return directors
      .filter((other) => [...chains].some((chain) => other.chains.test(chain)))
      .map(({ name, stop }) =>
        warning(
          `${name} chooses links here too (its chains are in the firewall): two directors undo each other's choice`,
          stop,
        ),
      );
  },
};

export const networkd: Check = {
  name: 'networkd',
  find: ({ director, networkdTakesRules }) =>
    director && networkdTakesRules
      ? [
          warning(
            'systemd-networkd takes away policy rules and routes that it did not make, whenever it starts again',
            'mkdir -p /etc/systemd/networkd.conf.d && printf "[Network]\\nManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n" > /etc/systemd/networkd.conf.d/lvsj.conf',
          ),
        ]
      : [],
};
