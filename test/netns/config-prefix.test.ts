// IPv6 prefixes: translated (NPT), replaced by the admin, with two providers at once. Needs root.
//
//   lan 2001:db8:10::/64 ── eth0 director eth1 ── isp1, which also routes 2001:db8:1:100::/56 here
//                                         eth2 ── isp2, which also routes 2001:db8:2:100::/56 here
//
// Elsewhere: openwrt/packages 12309, 2429, 5798, 5906, 14332; opnsense/core 5284, 6158, 4556 ("may not
// work at all for completely dynamic prefixes").

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { ConfigLab } from './config-lab.ts';
import { startSteady } from './steady.ts';

const lab = new ConfigLab('prefix');

const config = (npt1: string, npt2: string, { lte = 1 } = {}): string => `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 }, snat: { npt: ${npt1} } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 }, snat: { npt: ${npt2} } }
services:
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: ${lte} } }
rules:
  - { service: all }`;

const [first] = lab.clients(6) as [string];
const hostPart = first.slice('2001:db8:10::'.length);
/** Under which addresses the server sees six connections of the first client. */
const seenOf = () => lab.connect(6, { count: 6, from: [first] });

describe('IPv6 prefixes', { timeout: 60_000 }, () => {
  before(() => lab.up());
  afterEach(() => lab.assertNoStrays());
  after(() => lab.down());

  test('a client has its own host part in the prefix of each provider', () => {
    lab.apply(config('2001:db8:1:100::/64', '2001:db8:2:100::/64'));
    assert.deepEqual(seenOf(), {
      [`2001:db8:1:100::${hostPart}`]: 3,
      [`2001:db8:2:100::${hostPart}`]: 3,
    });
  });

  test('IPv4 of the same gateways is masqueraded', () => {
    assert.deepEqual(lab.connect(4, { count: 6 }), { '192.0.2.2': 3, '203.0.113.2': 3 });
  });

  test('another prefix in the file is for new connections; those that there are keep theirs', async () => {
    const steady = await startSteady(lab, 6, { count: 40, from: [first] });
    lab.apply(config('2001:db8:1:180::/64', '2001:db8:2:100::/64'));
    assert.deepEqual(seenOf(), {
      [`2001:db8:1:180::${hostPart}`]: 3,
      [`2001:db8:2:100::${hostPart}`]: 3,
    });
    const { lived, moved, gateways } = await steady.end();
    assert.deepEqual(
      { lived, moved, gateways },
      {
        lived: 40,
        moved: 0,
        gateways: { [`2001:db8:1:100::${hostPart}`]: 20, [`2001:db8:2:100::${hostPart}`]: 20 },
      },
    );
  });

  test('a drained provider keeps its prefix for what it has', async () => {
    const steady = await startSteady(lab, 6, { count: 40, from: [first] });
    lab.apply(config('2001:db8:1:180::/64', '2001:db8:2:100::/64', { lte: 0 }));
    assert.deepEqual(seenOf(), { [`2001:db8:1:180::${hostPart}`]: 6 });
    const { lived, moved } = await steady.end();
    assert.deepEqual({ lived, moved }, { lived: 40, moved: 0 });
  });
});
