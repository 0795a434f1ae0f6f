// The lab's faults do what they say, and nothing is left of them. No director here. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet
//                             eth2 ── eth0 isp2 eth1 ── eth2

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { startDns } from '../../src/lab/dns.ts';
import { type Fault, type FaultSpec, setFault } from '../../src/lab/fault.ts';
import { inHost, labDown, labUp } from '../../src/lab/lab.ts';
import { type Isp, internet, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';

const lab = planLab({ name: `t${process.pid}-fault` });
const [isp] = lab.isps as [Isp];

const director = (script: string): string =>
  run(inHost(lab.name, 'director', ['sh', '-c', script]));

/** Share of echoes that come back, of some hundred. */
function answered(address: string): number {
  const said = director(`ping -q -c 400 -l 400 -W 0.2 ${address} || true`);
  return 1 - Number(/([\d.]+)% packet loss/.exec(said)?.[1]) / 100;
}

function roundTripMs(address: string): number {
  const said = director(`ping -q -c 5 -i 0.01 ${address}`);
  return Number(/min\/avg\/max\/mdev = ([\d.]+)/.exec(said)?.[1]);
}

const dnsScript = (server: string): string => `
  const { Resolver } = require("node:dns").promises;
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers(["${server}"]);
  resolver.resolve4("any.example").catch(() => process.exit(1));`;

const [v4, v6] = [internet.ipv4[0], internet.ipv6[0]];
const curl = 'curl -s -m 0.5 -o /dev/null -w "%{http_code}\\n"';
const ping = 'ping -q -c 1 -W 0.3';

/** Each says something of ISP 1, or nothing: shell that prints a word, or fails. */
const looks = {
  carrier: `ip link show ${isp.link} | grep -o "state UP"`,
  router4: `${ping} ${isp.ipv4.gateway}`,
  router6: `${ping} ${isp.ipv6.gateway}`,
  beyond4: `${ping} ${v4}`,
  beyond6: `${ping} ${v6}`,
  dns4: `${process.execPath} -e '${dnsScript(internet.ipv4[1])}'`,
  dns6: `${process.execPath} -e '${dnsScript(internet.ipv6[1])}'`,
  http4: `test "$(${curl} http://${v4}/)" = 200`,
  http6: `test "$(${curl} "http://[${v6}]/")" = 200`,
  login4: `test "$(${curl} http://${v4}/)" = 302`,
  login6: `test "$(${curl} "http://[${v6}]/")" = 302`,
};
type Look = keyof typeof looks;

/** What of it works, all asked at the same time by a director that does not know its neighbours. */
function look(): Look[] {
  const asked = Object.entries(looks).map(
    ([name, line]) => `{ ${line} > /dev/null && echo ${name}; } &`,
  );
  const words = director(`ip neigh flush dev ${isp.link}\n${asked.join('\n')}\nwait`).split('\n');
  return (Object.keys(looks) as Look[]).filter((name) => words.includes(name));
}

const well: Look[] = [
  'carrier',
  'router4',
  'router6',
  'beyond4',
  'beyond6',
  'dns4',
  'dns6',
  'http4',
  'http6',
];
const wellBut = (...names: Look[]): Look[] => well.filter((name) => !names.includes(name));

describe('a fault', { timeout: 60_000 }, () => {
  let fault: Fault | undefined;
  before(async () => {
    await labUp(lab);
    startDns(lab);
  });
  afterEach(async () => {
    await fault?.heal();
    fault = undefined;
  });
  after(() => labDown(lab.name));

  const set = async (spec: FaultSpec): Promise<void> => {
    fault = await setFault(lab, isp, spec);
  };

  async function assertHealed(): Promise<void> {
    await fault?.heal();
    fault = undefined;
    // The director's routes by a link that was down are its own affair.
    director(`ip -4 route replace default via ${isp.ipv4.gateway}
      ip -6 route replace default via ${isp.ipv6.gateway}`);
    assert.deepEqual(look(), well);
    assert.equal(run(inHost(lab.name, isp.host, ['nft', 'list', 'tables'])), '');
  }

  const cases: [FaultSpec, Look[]][] = [
    [{ kind: 'carrier' }, []],
    [{ kind: 'router' }, ['carrier']],
    [{ kind: 'loss', percent: 100 }, ['carrier']],
    [{ kind: 'blackhole' }, ['carrier', 'router4', 'router6']],
    [{ kind: 'dns' }, wellBut('dns4', 'dns6')],
    [{ kind: 'portal' }, [...wellBut('http4', 'http6'), 'login4', 'login6']],
  ];
  for (const [spec, works] of cases)
    test(`${spec.kind}: only this goes on: ${works.join(', ')}; and all when it is healed`, async () => {
      await set(spec);
      assert.deepEqual(look(), works);
      await assertHealed();
    });

  test('loss: so many packets of each direction, at random', async () => {
    await set({ kind: 'loss', percent: 30 });
    // Of both ways 0.7 × 0.7, and five standard deviations of 400.
    for (const address of [isp.ipv4.gateway, internet.ipv4[0]]) {
      const share = answered(address);
      assert.ok(Math.abs(share - 0.49) < 0.125, `${share} of ${address}`);
    }
  });

  test('latency: what lies behind the router is late, and what the router says is not', async () => {
    await set({ kind: 'latency', ms: 40 });
    for (const address of [internet.ipv4[0], internet.ipv6[0]]) {
      const ms = roundTripMs(address);
      // A timer may be early by a part of a millisecond.
      assert.ok(ms >= 39 && ms < 60, `${ms} ms to ${address}`);
    }
    assert.ok(roundTripMs(isp.ipv4.gateway) < 20);
    await assertHealed();
    assert.ok(roundTripMs(internet.ipv4[0]) < 20);
  });
});
