// Counters on the ISPs' side of the director's links: what no tool of ours says of itself.

import { type Figures, parseCounters } from './demo-parse.ts';
import type { Stage } from './demo-stage.ts';
import { type Isp, internet } from './topology.ts';

/** A command that a person may copy: a script for nft, one statement a line. */
const nft = (...lines: string[]): string => ["nft -f - <<'.'", ...lines, '.'].join('\n');

/** The lab as an admin finds it, and the counters that run during the whole demo. */
export async function prepare(stage: Stage): Promise<void> {
  stage.say(`A lab of network namespaces, lvsj-${stage.lab.name}-HOST (docs/lab.md):

  lan eth0 ── eth0 director eth1 ── isp1 ── internet    director: ${addresses(stage.lab.isps)}
                            eth2 ── isp2 ── internet    internet: ${internet.ipv4[0]}

Strict reverse-path filters, as many a distribution sets them: the director must cope, and bring them back.
Each ISP counts the packets from the director whose address is not one that this ISP gave.
`);
  await stage.on('director', 'sysctl -w net.ipv4.conf.all.rp_filter=1');
  for (const isp of stage.lab.isps) {
    const command = nft(
      'table inet demo {',
      '  counter foreign {}',
      '  chain in {',
      '    type filter hook prerouting priority -300;',
      `    iifname eth0 ip saddr != ${isp.ipv4.prefix} counter name foreign`,
      // Neighbour discovery uses link-local addresses, which are nobody's.
      `    iifname eth0 ip6 saddr 2001:db8::/32 ip6 saddr != ${isp.ipv6.prefix} counter name foreign`,
      '  }',
      '}',
    );
    await stage.on(isp.host, command);
  }
}

const addresses = (isps: Isp[]): string => isps.map(({ ipv4 }) => ipv4.address).join(', ');

/** Has each ISP count a connection of one of its customers, and ICMP errors from the LAN. */
export async function watchConnection(stage: Stage, port: number): Promise<void> {
  const command = nft(
    'table inet demo {',
    '  counter from_lan {}',
    '  counter to_lan {}',
    '  counter errors {}',
    '  chain in {',
    `    iifname eth0 tcp sport ${port} counter name from_lan`,
    `    iifname eth1 tcp dport ${port} counter name to_lan`,
    '    iifname eth0 icmp type destination-unreachable counter name errors',
    '  }',
    '}',
  );
  const [first, ...others] = stage.lab.isps;
  await stage.on(first!.host, command);
  for (const isp of others) {
    stage.say(`${isp.host}# … the same`);
    await stage.quietly(isp.host, command);
  }
}

/** One ISP's counters. */
export async function readCounters(stage: Stage, isp: Isp): Promise<Figures> {
  return parseCounters(await stage.quietly(isp.host, 'nft -j list counters'));
}

/** One counter of every ISP. */
export async function readCounter(stage: Stage, counter: string): Promise<Figures> {
  const figures: Figures = {};
  for (const isp of stage.lab.isps)
    figures[isp.host] = (await readCounters(stage, isp))[counter] ?? Number.NaN;
  return figures;
}
