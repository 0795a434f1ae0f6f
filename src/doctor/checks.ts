// All checks, in the order in which their findings are shown, and how they are made: each for itself.

import type { Facts } from '../model/facts.ts';
import { conntrack, expiry, lanPrograms, objects, table } from './director.ts';
import { fastPath, fastPathCounters, fastPathIngress, fastPathRules } from './fastpath.ts';
import type { Check, Finding, Severity } from './finding.ts';
import { largeReceive, mtu, offload, sourceAddress } from './firewall.ts';
import { gateways, sameGateway } from './gateways.ts';
import { clock, kernel, programs } from './machine.ts';
import { marks } from './marks.ts';
import { networkd, others } from './others.ts';
import { policyRules, rulesInRange } from './policy-rules.ts';
import { defaultRoutes, networks, splitDefault } from './routes.ts';
import { forwarding, ipv6, reversePath, routerAdvertisements, srcValidMark } from './sysctls.ts';

export const checks: Check[] = [
  kernel,
  programs,
  objects,
  lanPrograms,
  expiry,
  table,
  conntrack,
  gateways,
  sameGateway,
  networks,
  splitDefault,
  defaultRoutes,
  policyRules,
  rulesInRange,
  marks,
  forwarding,
  ipv6,
  reversePath,
  srcValidMark,
  routerAdvertisements,
  sourceAddress,
  mtu,
  offload,
  largeReceive,
  fastPath,
  fastPathRules,
  fastPathCounters,
  fastPathIngress,
  others,
  networkd,
  clock,
];

const rank: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** What all checks find, the worst first. One that can't be made says so and stops no other. */
export function examine(facts: Facts, all: Check[] = checks): Finding[] {
  const found: Finding[] = [];
  const failed = new Map<string, string[]>();
  for (const { name, find } of all)
    try {
      found.push(
        ...find(facts).map(({ severity, ...rest }) => ({ severity, check: name, ...rest })),
      );
    } catch (reason) {
      const { message } = reason as Error;
      failed.set(message, [...(failed.get(message) ?? []), name]);
    }
  const notMade = [...failed].map(
    ([message, names]): Finding => ({
      severity: 'note',
      check: names.join(', '),
      what: `not checked: ${message}`,
      fix: 'make it readable, then lvsj doctor again',
    }),
  );
  return [...found, ...notMade].sort((a, b) => rank[a.severity] - rank[b.severity]);
}
