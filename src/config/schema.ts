// The form of the file /etc/lvsj/lvsj.yaml. docs/lvsj.schema.json is made from it, and docs/config.md
// tells the same to people. What one item says of another is for check.ts.

import * as z from 'zod';
import { connections, defaultMarkMask, defaultTimeouts, largestCount } from '../model/bounds.ts';
import type { Snat } from '../model/config.ts';
import { defaultPolicy } from '../model/monitor.ts';
import { settingRules } from '../model/setting.ts';
import type { Family } from '../model/table.ts';
import { failback, hook, lastResort, onDown } from './failover.ts';
import { fastpath } from './fastpath.ts';
import * as leaves from './leaves.ts';
import { monitor } from './monitor.ts';
import { host } from './probe.ts';
import { list, named, object } from './shape.ts';

const viaMap = object({
  ipv4: leaves.via(4).optional(),
  ipv6: leaves.via(6).optional(),
})
  .transform(({ ipv4, ipv6 }) => ({ ...ipv4, ...ipv6 }))
  .meta({ minProperties: 1 });

const npt = leaves.npt.describe('IPv6: change the prefix to this one, keep the host part');
const nptMap = object({ npt });

const snatMap = object({
  ipv4: leaves.snat(4).optional(),
  ipv6: z.union([leaves.snat(6), nptMap.transform(({ npt: changed }) => changed)]).optional(),
  npt: npt.optional(),
})
  .refine(({ ipv6, npt: alone }) => !ipv6 || !alone, {
    error: 'npt is what ipv6 would be: write one of them',
    path: ['npt'],
  })
  .transform(({ ipv4, ipv6, npt: alone }) => ({ ...ipv4, ...alone, ...ipv6 }));

/** Who is given one family's address has the other masqueraded. */
const everyFamily = (given: leaves.SnatFamilies): Record<Family, Snat> => ({
  4: { kind: 'masquerade' },
  6: { kind: 'masquerade' },
  ...given,
});

export const gateway = object({
  link: leaves.link.describe('The link that it lies behind'),
  via: z
    .union([leaves.via(), viaMap])
    .prefault('auto')
    .describe('Next hop: an address, auto (learnt from the main table), onlink (ppp, WireGuard)'),
  snat: z
    .union([leaves.snat(), snatMap])
    .prefault('masquerade')
    .describe('Source address of what leaves by it: an address, masquerade, none'),
  mtu: leaves
    .whole(576, 65535)
    .optional()
    .describe('Bytes that a packet may have beyond the link, where that is less than its own MTU'),
  capacity: object({
    down: leaves.bitRate.optional().describe('Bits a second from the internet'),
    up: leaves.bitRate.optional().describe('Bits a second to the internet'),
  })
    .optional()
    .describe('What the line carries; the scheduler lbw goes by it'),
  monitor: monitor.optional().describe('How lvsj run keeps watch on it: docs/failover.md'),
  resolvers: list(host)
    .optional()
    .describe('DNS resolvers of this provider: asked by this gateway alone'),
}).transform(({ mtu = 0, capacity, snat, resolvers = [], ...rest }) => ({
  ...rest,
  snat: everyFamily(snat),
  mtu,
  capacity: { down: 0, up: 0, ...capacity },
  resolvers,
}));

const persistentMap = object({
  timeout: leaves.seconds.prefault('300s').describe('How long after its newest connection'),
  netmask: leaves.netmask(4).prefault(32).describe('IPv4 addresses that stay together'),
  netmask6: leaves.netmask(6).prefault(128).describe('IPv6 addresses that stay together'),
  key: leaves.persistenceKey.prefault('source').describe('Whose connections stay together'),
});

const persistent = z.union([
  leaves.seconds.transform((timeout) => ({
    ...{ timeout, netmask: 32, netmask6: 128 },
    key: 'source' as const,
  })),
  persistentMap,
]);

const thresholds = object({
  weight: leaves.weight.prefault(1).describe('Share; 0: no new connections'),
  upper: leaves.whole(0, largestCount).prefault(0).describe('No new ones from so many on; 0: none'),
  lower: leaves
    .whole(0, largestCount)
    .prefault(0)
    .describe('New ones again below so many; 0: three quarters of upper'),
  tier: leaves.whole(1, 8).prefault(1).describe('Used only while all tiers above are down or full'),
}).refine(({ upper, lower }) => lower <= upper, { error: 'lower is above upper', path: ['lower'] });

const share = z.union([
  leaves.weight.transform((weight) => ({ weight, upper: 0, lower: 0, tier: 1 })),
  thresholds,
]);

export const service = object({
  fwmark: leaves.whole(1, 0xffffffff).describe('Its mark, without bits of mark-mask; unique'),
  scheduler: leaves.scheduler.prefault('wlc').describe('How it picks: docs/schedulers.md'),
  'scheduler-flags': list(leaves.line('a flag such as sh-port', /^[a-z0-9-]+$/))
    .optional()
    .describe('Of sh: sh-fallback, sh-port; of mh: mh-fallback, mh-port'),
  persistent: persistent.optional().describe('A client stays on its gateway for so long'),
  'one-packet': leaves.flag.prefault(false).describe('UDP: each packet is scheduled for itself'),
  'on-down': onDown.optional().describe('What becomes of connections whose gateway is down'),
  failback: failback
    .prefault(defaultPolicy.failback.kind)
    .describe('What becomes of those on a lower tier when a higher one is back'),
  'last-resort': lastResort
    .prefault(defaultPolicy.lastResort)
    .describe('What becomes of new connections that no gateway can take'),
  fastpath: fastpath
    .optional()
    .describe('Its connections pass the stack by; on: also where rules of others need each packet'),
  gateways: named(share).describe('Its gateways: name -> weight, or {weight, upper, lower, tier}'),
}).transform(
  ({
    persistent: stay,
    'scheduler-flags': flags,
    'one-packet': onePacket,
    'on-down': whenDown,
    'last-resort': resort,
    ...rest
  }) => ({
    ...rest,
    schedulerFlags: flags ?? [],
    onePacket,
    onDown: whenDown,
    lastResort: resort,
    persistence: stay?.timeout ?? 0,
    persistenceKey: stay?.key ?? 'source',
    netmask: { 4: stay?.netmask ?? 32, 6: stay?.netmask6 ?? 128 },
  }),
);

export const set = object({
  prefixes: z.array(leaves.prefix).optional().describe('Of both families'),
  file: leaves
    .line('a path', /^[^\n]+$/)
    .optional()
    .describe('One prefix a line, # comments; relative to this file'),
  domains: z.array(leaves.domain).optional().describe('Names whose addresses are kept in it'),
});

const sources = list(leaves.source);
const ports = list(leaves.port);

export const rule = object({
  name: leaves.name('a name').optional().describe('For counters and messages; unique'),
  from: sources.optional().describe('Sources: prefixes, "@set"'),
  to: sources.optional().describe('Destinations: prefixes, "@set"'),
  proto: list(leaves.protocol).optional().describe('Protocols, by name or number'),
  sport: ports.optional().describe('Source ports: number, name, first-last'),
  dport: ports.optional().describe('Destination ports: number, name, first-last'),
  dscp: list(leaves.dscp).optional().describe('DSCP, number or name'),
  link: list(leaves.link).optional().describe('Incoming links'),
  nft: leaves.nft.optional().describe('Any nftables match expression'),
  service: leaves
    .name('the name of a service, or main')
    .describe('Who takes it; main: not shared out'),
});

const settings = object(
  Object.fromEntries(
    settingRules.map(({ name, largest, default: usual, meaning }) => [
      name,
      leaves.whole(0, largest).prefault(usual).describe(meaning),
    ]),
  ),
);

const metrics = object({
  listen: leaves.listen.describe('Where Prometheus may ask over TCP'),
  'token-file': leaves
    .line('an absolute path', /^\/[^\n]+$/)
    .describe('Holds the token that it must show'),
});

/** What is not an item with a name or a place in a list. */
export const general = object({
  lan: list(leaves.link)
    .optional()
    .describe('Links of the LAN; every link that no gateway uses, if left out'),
  router: leaves
    .name('the name of a service')
    .optional()
    .describe("Service for the router's own connections"),
  connections: leaves
    .whole(connections.smallest, connections.largest)
    .prefault(connections.default)
    .describe('Most connections that the table holds; read when the director starts'),
  'mark-mask': leaves.markMask
    .prefault(`0x${defaultMarkMask.toString(16)}`)
    .describe('The bits of the mark that hold the gateway; read when the director starts'),
  timeouts: object({
    tcp: leaves.seconds.prefault(defaultTimeouts.tcp).describe('Established TCP'),
    'tcp-fin': leaves.seconds.prefault(defaultTimeouts.tcpFin).describe('TCP after a FIN'),
    udp: leaves.seconds.prefault(defaultTimeouts.udp).describe('UDP'),
  }).prefault({}),
  settings: settings.prefault({}).describe("IPVS's sysctls: docs/settings.md"),
  fastpath: fastpath
    .prefault('off')
    .describe('Established connections pass the stack by: docs/fastpath.md'),
  api: object({
    group: leaves
      .line('the name of a group', /^[A-Za-z_][A-Za-z0-9_-]{0,31}$/)
      .optional()
      .describe('Group that may use the socket; root alone, if left out'),
    metrics: metrics.optional(),
  }).prefault({}),
  hooks: z
    .array(hook)
    .prefault([])
    .describe('Commands that are run when a gateway fails or comes back'),
});

export const file = object({
  ...general.shape,
  gateways: named(gateway).prefault({}).describe('Next hops on links, by name'),
  services: named(service).prefault({}).describe('Which gateways share what, by name'),
  sets: named(set).prefault({}).describe('Named sets of prefixes for rules, by name'),
  rules: z.array(rule).prefault([]).describe('What goes to which service; the first match wins'),
});
