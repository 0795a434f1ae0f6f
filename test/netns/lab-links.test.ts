// The lab's links as real lines behave: DHCP, router advertisements, PPP. No director here. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1   an admin wrote the addresses
//                             eth2 ── eth0 isp2   dnsmasq gives them, udhcpc takes them
//                             ppp3 ── eth0 isp3   a point-to-point link

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { changeLease, renewLease } from '../../src/lab/dhcp.ts';
import { changePrefix, makeLink, removeLink, setCarrier } from '../../src/lab/isp-link.ts';
import { clientProgram, inHost, labDown, labUp } from '../../src/lab/lab.ts';
import { type Isp, internet, planLab } from '../../src/lab/topology.ts';
import { run, tryRun } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';

const lab = planLab({ name: `t${process.pid}-links`, isps: 3, dhcp: [2], ppp: [3] });
const [, leased, dialled] = lab.isps as [Isp, Isp, Isp];

const director = (words: string): string => run(inHost(lab.name, 'director', words.split(' ')));

interface Line {
  dst?: string;
  gateway?: string;
  metric?: number;
  ifindex: number;
  addr_info: { local: string; scope: string; preferred_life_time: number }[];
}

const showLink = (link: string): Line => JSON.parse(director(`ip -json addr show dev ${link}`))[0];

/** Global addresses that new connections may have. */
const addresses = (link: string): string[] =>
  showLink(link)
    .addr_info.filter((info) => info.scope === 'global' && info.preferred_life_time > 0)
    .map(({ local }) => local);

const defaultsOf = (link: string): Line[] =>
  ['-4', '-6'].flatMap((family) =>
    JSON.parse(director(`ip ${family} -json route show default dev ${link}`)),
  );

/** The address under which the internet sees a connection that the director makes by this link. */
function seenBy(isp: Isp, family: 4 | 6): string {
  const url = family === 4 ? internet.ipv4[0] : `[${internet.ipv6[0]}]`;
  const argv = ['curl', '-s', '-m', '2', '--interface', isp.link, `http://${url}/`];
  return tryRun(inHost(lab.name, 'director', argv)).stdout.trim();
}

describe('links of a lab', { timeout: 60_000 }, () => {
  before(() => labUp(lab));
  after(() => labDown(lab.name));

  test('DHCP and router advertisements give addresses and default routes behind the written ones', () => {
    assert.deepEqual(addresses('eth2'), ['203.0.113.2', '2001:db8:2::2']);
    const [route4, route6] = defaultsOf('eth2') as [Line, Line];
    assert.deepEqual([route4.gateway, route4.metric], ['203.0.113.1', 102]);
    assert.match(String(route6.gateway), /^fe80::/);
    assert.equal(route6.metric, 1100);
    assert.deepEqual([seenBy(leased, 4), seenBy(leased, 6)], ['203.0.113.2', '2001:db8:2::2']);
  });

  test('a lease that the ISP changed is given up for the new one when it is renewed', async () => {
    await changeLease(lab, leased, '203.0.113.77');
    assert.deepEqual(addresses('eth2'), ['203.0.113.2', '2001:db8:2::2']);
    renewLease(lab, leased);
    const has = (address: string) => addresses('eth2').includes(address);
    await waitUntil('the new lease', () => has('203.0.113.77'), 10_000);
    assert.ok(!has('203.0.113.2'));
    assert.equal(seenBy(leased, 4), '203.0.113.77');
    assert.equal(defaultsOf('eth2').length, 2);
  });

  test('a new prefix is advertised, and the old one is no longer to be used', async () => {
    changePrefix(lab, leased, '2001:db8:1002::');
    const moved = () => addresses('eth2').includes('2001:db8:1002::2');
    await waitUntil('an address of the new prefix', moved, 10_000);
    const gone = () => !addresses('eth2').includes('2001:db8:2::2');
    await waitUntil('the end of the old one', gone, 10_000);
    assert.equal(seenBy(leased, 6), '2001:db8:1002::2');
  });

  test('a point-to-point link has a next hop that nobody asks for, and a smaller MTU', () => {
    assert.deepEqual(addresses('ppp3'), ['100.64.3.2', '2001:db8:3::2']);
    const [to4, to6] = [internet.ipv4[1], internet.ipv6[1]];
    director(`ip route add ${to4} dev ppp3`);
    director(`ip -6 route add ${to6} dev ppp3`);
    assert.match(director(`ping -c 1 -W 2 -M do -s ${1492 - 28} ${to4}`), / 1 received/);
    assert.match(director(`ping -c 1 -W 2 -M do -s ${1492 - 48} ${to6}`), / 1 received/);
    assert.equal(director('ip neigh show dev ppp3 nud reachable'), '');
  });

  /** Linux sends IPv6 from a socket bound to a link only where that link has a route. */
  const route6 = () => director('ip -6 route add default dev ppp3 metric 2000');

  test('a link that is made again has its name, another number and the address that it was told', async () => {
    const before = showLink('ppp3').ifindex;
    removeLink(lab, dialled);
    assert.equal(tryRun(inHost(lab.name, 'director', ['ip', 'link', 'show', 'ppp3'])).status, 1);
    await makeLink(lab, dialled, '100.64.3.99');
    assert.notEqual(showLink('ppp3').ifindex, before);
    assert.deepEqual(addresses('ppp3'), ['100.64.3.99', '2001:db8:3::2']);
    route6();
    assert.deepEqual([seenBy(dialled, 4), seenBy(dialled, 6)], ['100.64.3.99', '2001:db8:3::2']);
  });

  test('a link that is made again has its lease again, or its default route', async () => {
    for (const isp of lab.isps.slice(0, 2)) {
      const before = defaultsOf(isp.link).length;
      removeLink(lab, isp);
      await makeLink(lab, isp);
      assert.equal(defaultsOf(isp.link).length, before, isp.link);
      assert.notEqual(seenBy(isp, 4), '', isp.link);
      assert.notEqual(seenBy(isp, 6), '', isp.link);
    }
  });

  test('a pulled cable takes the carrier and leaves the addresses', async () => {
    const [written] = lab.isps as [Isp];
    await setCarrier(lab, written, false);
    assert.deepEqual(addresses('eth1').slice(0, 1), ['192.0.2.2']);
    assert.equal(seenBy(written, 4), '');
    await setCarrier(lab, written, true);
    // Who asked for the neighbour while the cable was pulled is still told that it is not there.
    await waitUntil('the ISP to answer again', () => seenBy(written, 4) === '192.0.2.2');
  });

  test('an ISP routes its customer more IPv6 addresses, of which the director may take some', () => {
    director('ip -6 addr add 2001:db8:1:100::5/128 dev lo');
    const argv = [...clientProgram, 'connect', '--url', `http://[${internet.ipv6[0]}]/`];
    const seen = run(inHost(lab.name, 'director', [...argv, '--from', '2001:db8:1:100::5']));
    assert.deepEqual(JSON.parse(seen), { '2001:db8:1:100::5': 1 });
  });
});
