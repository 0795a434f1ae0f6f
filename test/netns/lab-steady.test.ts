// The client that holds many connections, on a plain masquerading router with two uplinks. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet
//                             eth2 ── eth0 isp2 eth1 ── eth2

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { DirectorLab, families, seen } from './director-lab.ts';
import { startSteady } from './steady.ts';

const lab = new DirectorLab('steady');

/** Masquerade forgets a connection whose route leaves by another link than before. */
const routeVia = (isp: 1 | 2): void => {
  const { ipv4, ipv6 } = lab.lab.isps[isp - 1]!;
  lab.director(`ip -4 route replace default via ${ipv4.gateway}
    ip -6 route replace default via ${ipv6.gateway}`);
};

describe('steady connections', { timeout: 60_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director(`
      iptables -t nat -A POSTROUTING ! -o eth0 -j MASQUERADE
      ip6tables -t nat -A POSTROUTING ! -o eth0 -j MASQUERADE`);
  });
  afterEach(() => routeVia(1));
  after(() => lab.down());

  for (const family of families) {
    const [{ isp1, isp2 }] = [seen[family]];

    test(`IPv${family}: 500 live while nothing happens, and are counted by gateway`, async () => {
      const steady = await startSteady(lab, family, { count: 500 });
      await steady.rounds(3);
      const { answers, slowestMs, ...found } = await steady.end();
      const gateways = { [isp1]: 500 };
      assert.deepEqual(found, { lived: 500, broken: 0, moved: 0, gateways, reasons: [] });
      assert.ok(answers >= 1500 && slowestMs > 0, `${answers} answers, up to ${slowestMs} ms`);
    });

    test(`IPv${family}: TCP that leaves by another link is broken, and the rest lives`, async () => {
      const steady = await startSteady(lab, family, { count: 20, timeout: 1 });
      routeVia(2);
      const other = await startSteady(lab, family, { count: 10 });
      await other.rounds(1);
      const { lived, broken, reasons } = await steady.end();
      assert.deepEqual([lived, broken], [0, 20], String(reasons));
      assert.deepEqual((await other.end()).gateways, { [isp2]: 10 });
    });

    test(`IPv${family}: UDP that leaves by another link has moved`, async () => {
      const steady = await startSteady(lab, family, { count: 20, udp: true });
      routeVia(2);
      const { lived, moved, gateways } = await steady.end();
      assert.deepEqual([lived, moved, gateways], [20, 20, { [isp2]: 20 }]);
    });
  }

  test('connections that get no answer at all are broken, and say why', async () => {
    const from = ['10.9.9.9'];
    const steady = await startSteady(lab, 4, { count: 3, timeout: 0.2, from });
    const { lived, broken, reasons } = await steady.end();
    assert.deepEqual([lived, broken, reasons.length], [0, 3, 1], String(reasons));
  });
});
