// The BFD probe with the real bfdd of FRR on both sides, where that is installed. Needs root.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setFault } from '../../src/lab/fault.ts';
import type { Isp } from '../../src/lab/topology.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { gatewayOf, seen } from './director-lab.ts';
import { ofAll, ProbeLab } from './probe-lab.ts';

const skip = existsSync('/usr/lib/frr/bfdd') ? false : "Debian's frr is not installed";

/** FRR in the network namespace, and in a mount namespace of its own: its sockets have fixed places. */
const start = (own: string, peer: string, link: string): string => `
  unshare -m sh -ec '
    mkdir -p /run/frr
    mount -t tmpfs none /run/frr
    chown frr:frr /run/frr
    /usr/lib/frr/zebra -d -A 127.0.0.1 -P 0
    /usr/lib/frr/bfdd -d -A 127.0.0.1 -P 0
    vtysh -d bfdd -c "configure terminal" -c bfd -c "peer ${peer} local-address ${own} interface ${link}" \\
      -c "receive-interval 100" -c "transmit-interval 100" -c "no shutdown"
    cat /run/frr/bfdd.pid' 2>/dev/null | tail -1`;

describe('the BFD probe', { skip, timeout: 60_000 }, () => {
  const lab = new ProbeLab('bfd');
  before(() => lab.up());
  after(() => lab.down());

  /** What it says of the next hop by ISP 1; `pid`: a process that sees FRR's sockets. */
  const ask = (pid?: string): string[] =>
    lab.problems(ofAll(() => [{ kind: 'bfd' }], ['isp1']).slice(0, 1), { pid });

  test('follows the session of the next hop', async () => {
    const [isp1] = lab.lab.isps as [Isp];
    const { isp1: own } = seen[4];
    const { isp1: peer } = gatewayOf[4];
    lab.script('isp1', start(peer, own, 'eth0'));
    const pid = lab.director(start(own, peer, 'eth1')).trim();
    await waitUntil('a session', () => ask(pid).length === 0, 20_000);
    const { heal } = await setFault(lab.lab, isp1, { kind: 'router' });
    const expired = 'isp1/4 bfd: silent (BFD session down: control detection time expired)';
    await waitUntil('its end', () => ask(pid).join() === expired, 10_000);
    await heal();
  });

  test('says nothing where bfdd does not run', () => {
    assert.match(ask().join(), /^isp1\/4 bfd: void \(FRR's bfdd cannot be asked: /);
  });
});
