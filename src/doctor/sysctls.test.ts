// Sysctls that drop packets, and those that do not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  factsWith,
  gateway,
  link,
  route,
  testCheck,
  withoutDirector,
} from '../../test/doctor-facts.ts';
import { forwarding, ipv6, reversePath, routerAdvertisements, srcValidMark } from './sysctls.ts';

const gateways = [gateway('192.0.2.1', 'eth1'), gateway('2001:db8:1::1', 'eth1', { family: 6 })];

testCheck(forwarding, [
  [
    'both families off',
    {
      sysctl: { 'net/ipv4/ip_forward': '0', 'net/ipv6/conf/all/forwarding': '0' },
      director: { gateways },
    },
    [
      'error: IPv4 forwarding is off: no packet passes -> sysctl -w net.ipv4.ip_forward=1',
      'error: IPv6 forwarding is off: no packet passes -> sysctl -w net.ipv6.conf.all.forwarding=1',
    ],
  ],
  ['off in a family that no gateway has', { sysctl: { 'net/ipv6/conf/all/forwarding': '0' } }, []],
  [
    'off on a link',
    { sysctl: { 'net/ipv4/conf/eth0/forwarding': '0' } },
    [
      'error: eth0 forwards no IPv4: what comes in there ends there -> sysctl -w net.ipv4.conf.eth0.forwarding=1',
    ],
  ],
]);

testCheck(reversePath, [
  [
    "loose on the director's link, which has no address",
    { sysctl: { 'net/ipv4/conf/lvsj0/rp_filter': '2' } },
    [
      'error: a reverse-path filter, strict or loose, drops every packet that the director has decided (rp_filter of all is 0, of lvsj0 2; the larger one counts) -> sysctl -w net.ipv4.conf.lvsj0.rp_filter=0',
    ],
  ],
  [
    "strict by the link's own",
    { sysctl: { 'net/ipv4/conf/eth1/rp_filter': '1' } },
    [
      "error: a strict reverse-path filter drops replies that come in by eth1 and not by the main table's way (rp_filter of all is 0, of eth1 1; the larger one counts) -> sysctl -w net.ipv4.conf.eth1.rp_filter=2",
    ],
  ],
  [
    'strict by all, and loose where the link says so',
    {
      sysctl: {
        'net/ipv4/conf/all/rp_filter': '1',
        'net/ipv4/conf/eth1/rp_filter': '2',
        'net/ipv4/conf/eth2/rp_filter': '0',
        'net/ipv4/conf/lvsj0/rp_filter': '0',
        'net/ipv4/conf/lvsj0p/rp_filter': '0',
      },
    },
    [
      'error: a reverse-path filter, strict or loose, drops every packet that the director has decided (rp_filter of all is 1, of lvsj0 0; the larger one counts) -> sysctl -w net.ipv4.conf.all.rp_filter=0',
      "error: a reverse-path filter, strict or loose, drops every packet of the router's own that is shared out (rp_filter of all is 1, of lvsj0p 0; the larger one counts) -> sysctl -w net.ipv4.conf.all.rp_filter=0",
      "error: a strict reverse-path filter drops replies that come in by eth2 and not by the main table's way (rp_filter of all is 1, of eth2 0; the larger one counts) -> sysctl -w net.ipv4.conf.eth2.rp_filter=2",
    ],
  ],
]);

test('reverse-path: strict is nobody’s business where no director runs', () => {
  const { sysctls } = factsWith({ sysctl: { 'net/ipv4/conf/all/rp_filter': '1' } });
  assert.deepEqual(reversePath.find(withoutDirector({ sysctls })), []);
});

testCheck(srcValidMark, [
  [
    'with a strict filter',
    { sysctl: { 'net/ipv4/conf/all/src_valid_mark': '1' } },
    [
      'warning: src_valid_mark=1 makes the strict reverse-path filter of eth0 go by the mark: packets whose mark leads elsewhere are dropped (tailscaled 1.98 sets it) -> sysctl -w net.ipv4.conf.all.src_valid_mark=0',
    ],
  ],
  [
    'with a loose one',
    {
      sysctl: {
        'net/ipv4/conf/all/src_valid_mark': '1',
        'net/ipv4/conf/eth0/rp_filter': '2',
      },
    },
    [],
  ],
]);

const advertised = route('::/0', 'eth1', { via: 'fe80::1', protocol: 'ra', metric: 1024 });
const takes = (value: string) => ({
  'net/ipv6/conf/eth1/accept_ra': value,
  'net/ipv6/conf/eth1/forwarding': '1',
});
const refused =
  'warning: eth1 learns its IPv6 default route from router advertisements, but a router with accept_ra=1 takes none: the route goes when its time is over -> sysctl -w net.ipv6.conf.eth1.accept_ra=2';

testCheck(routerAdvertisements, [
  ['a router that takes none', { route: advertised, sysctl: takes('1') }, [refused]],
  ['a router that takes them', { route: advertised, sysctl: takes('2') }, []],
  [
    'a program that takes them in place of the kernel',
    { route: advertised, sysctl: takes('0') },
    [],
  ],
  [
    'a gateway that is learnt, once its route is gone',
    {
      sysctl: takes('1'),
      director: { gateways: [gateway('', 'eth1', { family: 6, learnt: true })] },
    },
    [refused],
  ],
]);

testCheck(ipv6, [
  [
    'off on a link that has a gateway of it',
    {
      sysctl: { 'net/ipv6/conf/eth1/disable_ipv6': '1', 'net/ipv6/conf/eth2/disable_ipv6': '1' },
      links: [link('eth1', '192.0.2.2/24')],
      director: { gateways },
    },
    [
      'error: IPv6 is off on eth1, where a gateway has it -> sysctl -w net.ipv6.conf.eth1.disable_ipv6=0',
    ],
  ],
]);
