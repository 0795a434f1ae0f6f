// The plan of the lab, its `ip` commands, and the pattern of its downloads.

import assert from 'node:assert/strict';
import { BlockList, isIPv6 } from 'node:net';
import { test } from 'node:test';
import { formatHostBatch, formatLinksBatch, formatMachineBatch } from './batch.ts';
import { formatServer } from './dhcp.ts';
import { matchesPattern, patternAt } from './pattern.ts';
import { maxIsps, planLab } from './topology.ts';

const largest = planLab({ name: 'big', isps: maxIsps });

test('no address of the largest lab is used twice', () => {
  const addresses = largest.hosts.flatMap((host) => host.addresses.map(({ address }) => address));
  const bare = addresses.map((address) => address.split('/')[0]);
  assert.equal(new Set(bare).size, bare.length);
});

test('no network of the largest lab is on two links', () => {
  // Each link is two ends; every address of the one network must sit on the ends of one link.
  const linkOf = new Map<string, number>();
  for (const [index, link] of largest.links.entries()) {
    for (const end of link) linkOf.set(`${end.host} ${end.link}`, index);
  }
  const onLinks = largest.hosts.flatMap((host) =>
    host.addresses.flatMap(({ link, address }) => {
      const index = linkOf.get(`${host.host} ${link}`);
      return index === undefined ? [] : [{ index, address }];
    }),
  );
  for (const { index, address } of onLinks) {
    const network = new BlockList();
    const [bare, length] = address.split('/') as [string, string];
    network.addSubnet(bare, Number(length), isIPv6(bare) ? 'ipv6' : 'ipv4');
    for (const other of onLinks) {
      const [otherBare] = other.address.split('/') as [string];
      const inside = network.check(otherBare, isIPv6(otherBare) ? 'ipv6' : 'ipv4');
      assert.ok(!inside || other.index === index, `${otherBare} is in ${address}`);
    }
  }
});

test('the two ISPs of a default lab are those of the recipe', () => {
  const lab = planLab();
  const [fiber, lte] = lab.isps;
  assert.equal(lab.name, 'lab');
  assert.deepEqual(
    lab.hosts.map((host) => host.namespace),
    ['lvsj-lab-lan', 'lvsj-lab-director', 'lvsj-lab-isp1', 'lvsj-lab-isp2', 'lvsj-lab-internet'],
  );
  assert.deepEqual(
    [fiber?.link, fiber?.ipv4.gateway, fiber?.ipv4.address].join(' '),
    'eth1 192.0.2.1 192.0.2.2',
  );
  assert.deepEqual(
    [lte?.link, lte?.ipv4.gateway, lte?.ipv4.address].join(' '),
    'eth2 203.0.113.1 203.0.113.2',
  );
});

test('a name that is no part of a path, or too many ISPs, are refused', () => {
  for (const name of ['', 'A', '../x', '-a', 'x'.repeat(33)]) {
    assert.throws(() => planLab({ name }), /a lab's name/, name);
  }
  for (const isps of [0, 17, 1.5, Number.NaN]) {
    assert.throws(() => planLab({ isps }), /1 to 16 ISPs/);
  }
  assert.throws(() => planLab({ dhcp: [3] }), /no ISP 3 among 2/);
  assert.throws(() => planLab({ dhcp: [2], ppp: [2] }), /ISP 2 is either/);
});

test('an ISP router is made by these commands', () => {
  const lab = planLab({ name: 'a', isps: 1 });
  const isp = lab.hosts.find((host) => host.host === 'isp1')!;
  assert.match(
    formatMachineBatch(lab),
    /^link add eth1 netns lvsj-a-director type veth peer name eth0 netns lvsj-a-isp1$/m,
  );
  assert.equal(formatLinksBatch(lab, isp), 'link set lo up\nlink set eth0 up\nlink set eth1 up\n');
  assert.equal(
    formatHostBatch(isp, 6),
    `addr add 2001:db8:1::1/64 dev eth0 nodad
addr add 2001:db8:fe:1::1/64 dev eth1 nodad
route add ::/0 via 2001:db8:fe:1::2
route add 2001:db8:1:100::/56 via 2001:db8:1::2
rule add pref 10 from 2001:db8:1::/64 iif eth0 lookup main
rule add pref 10 from 2001:db8:1:100::/56 iif eth0 lookup main
rule add pref 20 iif eth0 prohibit
`,
  );
});

test('an ISP by DHCP leaves the director without an address, and with the wish to learn one', () => {
  const lab = planLab({ name: 'a', dhcp: [1] });
  const director = lab.hosts.find((host) => host.host === 'director')!;
  assert.doesNotMatch(formatHostBatch(director, 4), /eth1|route/);
  assert.match(formatHostBatch(director, 4), /^addr add 203\.0\.113\.2\/24 dev eth2$/m);
  assert.equal(director.sysctls['net.ipv6.conf.default.accept_ra'], '2');
  const config = formatServer(lab.isps[0]!, (what) => `/x/${what}`);
  assert.match(config, /^dhcp-range=192\.0\.2\.1,static,255\.255\.255\.0,120$/m);
  assert.match(config, /^dhcp-hostsfile=\/x\/hosts$/m);
});

test('an ISP by PPP is behind a link without neighbours, whose other end is its address', () => {
  const lab = planLab({ name: 'a', ppp: [2] });
  const director = lab.hosts.find((host) => host.host === 'director')!;
  const options = 'mtu 1492 address 02:00:00:00:00:02 arp off';
  assert.ok(
    formatMachineBatch(lab).includes(
      `link add ppp2 netns lvsj-a-director ${options} type veth peer name eth0 netns lvsj-a-isp2 ${options}\n`,
    ),
  );
  assert.match(
    formatHostBatch(director, 4),
    /^addr add 203\.0\.113\.2 peer 203\.0\.113\.1\/32 dev ppp2$/m,
  );
});

test('the pattern is found at its offset and at no other', () => {
  const offset = 65_000;
  const bytes = Buffer.concat([patternAt(offset, 521), patternAt(offset + 521, 9_479)]);
  assert.equal(bytes.length, 10_000);
  assert.ok(matchesPattern(bytes, offset));
  assert.ok(!matchesPattern(bytes, offset + 1460));
  bytes[9_999]! ^= 1;
  assert.ok(!matchesPattern(bytes, offset));
});
