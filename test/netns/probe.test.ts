// Probes of real gateways: by their own link and no other, each kind, in each kind of trouble. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet
//                             eth2 ── eth0 isp2 eth1 ── eth2

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Fault, type FaultSpec, setFault } from '../../src/lab/fault.ts';
import type { Isp } from '../../src/lab/topology.ts';
import type { ProbeConfig } from '../../src/model/config.ts';
import { everything, gateways } from './config-lab.ts';
import { families, gatewayOf, serverAddress, urlHost } from './director-lab.ts';
import { beyond, nameServer, ofAll, ProbeLab, page, target } from './probe-lab.ts';

const neighbour: ProbeConfig = { kind: 'neighbour' };
/** With those that ask no further than the next hop. */
const all = (family: 4 | 6): ProbeConfig[] => [...beyond(family), neighbour];

describe('probes of gateways', { timeout: 120_000 }, () => {
  const lab = new ProbeLab('probe');
  const [, isp2] = lab.lab.isps as [Isp, Isp];
  let fault: Fault | undefined;
  const setIsp2 = async (spec: FaultSpec): Promise<void> => {
    fault = await setFault(lab.lab, isp2, spec);
  };

  before(async () => {
    await lab.up();
    lab.apply(`${gateways}${everything}`);
  });
  after(() => lab.down());
  afterEach(async () => {
    await fault?.heal();
    fault = undefined;
  });

  test('are all answered by each link where nothing is wrong', () => {
    assert.deepEqual(lab.problems(ofAll(all)), []);
    lab.assertNoStrays();
  });

  test('do not follow a route of the main table to the same host by another link', () => {
    const hosts = families.flatMap((family) => [serverAddress[family], nameServer[family]]);
    const route = (verb: string): string =>
      hosts
        .map((to) => `ip route ${verb} ${to} via ${gatewayOf[to.includes(':') ? 6 : 4].isp2}`)
        .join('\n');
    lab.director(route('add'));
    lab.sent();
    try {
      assert.deepEqual(lab.problems(ofAll(all, ['isp1'])), []);
    } finally {
      lab.director(route('del'));
    }
    const { isp1, isp2: other } = lab.sent();
    assert.deepEqual({ some: isp1 > 0, other }, { some: true, other: 0 });
  });

  test('fail beyond a provider that forwards nothing, and its router still answers', async () => {
    await setIsp2({ kind: 'blackhole' });
    const problems = lab.problems(ofAll(all), { timeoutMs: 400 });
    const silent = ['ping', 'tcp', 'dns', 'http', 'http'].map(
      (kind) => `${kind}: silent (no answer in 400 ms)`,
    );
    assert.deepEqual(
      problems,
      [4, 6].flatMap((family) => silent.map((s) => `isp2/${family} ${s}`)),
    );
  });

  test('say so when the router of a provider is dead, also while the kernel still believes in it', async () => {
    await setIsp2({ kind: 'router' });
    const problems = lab.problems(
      ofAll(() => [neighbour]),
      { timeoutMs: 400 },
    );
    assert.deepEqual(problems, [
      'isp2/4 neighbour: silent (no answer in 400 ms)',
      'isp2/6 neighbour: silent (no answer in 400 ms)',
    ]);
  });

  test('find a captive portal wrong while pings pass', async () => {
    await setIsp2({ kind: 'portal' });
    const probes = (family: 4 | 6) => [
      ...beyond(family).slice(0, 2),
      page(`http://${urlHost[family]}/`),
    ];
    assert.deepEqual(lab.problems(ofAll(probes)), [
      'isp2/4 http: wrong (status 302 instead of 200)',
      'isp2/6 http: wrong (status 302 instead of 200)',
    ]);
  });
});
