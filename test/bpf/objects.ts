// Are the kernel's policy rules, routes and nftables table what the table of services needs?

import assert from 'node:assert/strict';
import { families } from '../../src/kernel/director.ts';
import { knownGateways } from '../../src/kernel/hops.ts';
import { stampOf } from '../../src/kernel/nft.ts';
import { readObjects } from '../../src/kernel/objects.ts';
import type { Installed } from '../../src/plan/diff.ts';
import { presentHops } from '../../src/plan/hops.ts';
import { planObjects } from '../../src/plan/objects.ts';
import { run } from '../../src/util/run.ts';
import type { Bed } from './bed.ts';

const linesOf = ({ rules, routes }: Installed): string[] =>
  [
    ...rules.map((rule) => `${rule.family}: ${rule.priority} ${rule.selector} ${rule.action}`),
    ...routes.map((route) => `${route.family}: ${route.table} ${route.via} ${route.link}`),
  ].sort();

/** Exactly: nothing is missing, and nothing was left behind. */
export function assertObjects({ director, table }: Bed): void {
  const want = planObjects(
    {
      gateways: [...presentHops(knownGateways(director.maps.gateways.all())).values()],
      fwmarks: table.services.map(({ fwmark }) => fwmark),
      onePacket: table.services.filter((service) => service.onePacket).map((s) => s.fwmark),
      families: families(),
    },
    director.bits,
  );
  assert.deepEqual(linesOf(readObjects(families())), linesOf(want), 'rules and routes');
  const nft = run(['nft', 'list', 'table', 'inet', 'lvsj']);
  assert.ok(nft.includes(stampOf(want.nft)), `not the nftables table that is wanted: ${nft}`);
  const addresses = table.services.flatMap(({ gateways }) => gateways.map((g) => g.address));
  const present = want.routes.map(({ via }) => via).sort();
  assert.deepEqual(present, [...new Set(addresses)].sort(), 'gateways');
}
