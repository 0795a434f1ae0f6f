// Networks and routes that keep packets from the director, and those that do not.

import { factsWith, gateway, link, route, testCheck, type Wrong } from '../../test/doctor-facts.ts';
import { defaultRoutes, networks, splitDefault } from './routes.ts';

const and = (...links: ReturnType<typeof link>[]): Wrong => ({
  links: [...factsWith().links, ...links],
});

const hint =
  ': the main table knows one place for an address that both have -> give one of them another network (its router or modem says which)';

testCheck(networks, [
  [
    'the LAN has that of a gateway',
    { links: [link('eth0', '192.0.2.77/24'), link('eth1', '192.0.2.2/24')] },
    [`error: eth0 and eth1 have the same network, 192.0.2.0/24${hint}`],
  ],
  [
    "a gateway's is a part of the LAN's",
    { links: [link('eth0', '10.0.0.1/8'), link('eth1', '10.1.0.2/16')] },
    [`error: the networks of eth0 (10.0.0.0/8) and eth1 (10.1.0.0/16) overlap${hint}`],
  ],
  [
    'two modems have the same',
    { links: [link('eth1', '192.168.1.2/24'), link('eth2', '192.168.1.3/24')] },
    [`warning: eth1 and eth2 have the same network, 192.168.1.0/24${hint}`],
  ],
  ['a part of a bridge', and(link('eth9', '10.0.0.2/24', { master: 'br0' })), []],
  ['single addresses', and(link('ppp0', '192.0.2.9/32'), link('ppp1', '192.0.2.9/32')), []],
]);

const before = (words: string) =>
  `error: the main table's route ${words} is no default route, so it comes before the director: nothing that it covers is shared out`;

testCheck(splitDefault, [
  [
    'a VPN that takes all in two halves',
    { route: route('128.0.0.0/1', 'tun0') },
    [`${before('128.0.0.0/1 dev tun0')} -> ip -4 route del 128.0.0.0/1 dev tun0`],
  ],
  [
    'all of IPv6 that is given out',
    { route: route('2000::/3', 'eth1', { via: 'fe80::1', metric: 1024 }) },
    [`${before('2000::/3 via fe80::1 dev eth1')} -> ip -6 route del 2000::/3 via fe80::1 dev eth1`],
  ],
  ['a large private network', { route: route('10.0.0.0/8', 'eth0') }, []],
  ['multicast', { route: route('224.0.0.0/4', 'eth0') }, []],
  ['in a table of others', { route: route('0.0.0.0/1', 'tun0', { table: '52' }) }, []],
]);

testCheck(defaultRoutes, [
  [
    'no default route',
    { routes: [route('10.0.0.0/24', 'eth0')] },
    [
      "warning: the main table has no IPv4 default route: what is not shared out, and the router's own connections, go nowhere -> ip -4 route add default via 192.0.2.1 dev eth1 metric 100",
    ],
  ],
  [
    'one that leads to no gateway',
    { route: route('0.0.0.0/0', 'eth3', { via: '198.51.100.1', metric: 50 }) },
    [
      'warning: the IPv4 default route of eth3 leads to no gateway: the director does not use that link -> make it a gateway, or: ip -4 route del default via 198.51.100.1 dev eth3 metric 50',
    ],
  ],
  [
    'two of one metric',
    { route: route('0.0.0.0/0', 'eth2', { via: '203.0.113.1' }) },
    [
      'warning: two IPv4 default routes have the same metric (eth1 and eth2): which one is used is chance -> ip -4 route add default via 203.0.113.1 dev eth2 metric 1 && ip -4 route del default via 203.0.113.1 dev eth2',
    ],
  ],
  [
    'two of two metrics',
    { route: route('0.0.0.0/0', 'eth2', { via: '203.0.113.1', metric: 9 }) },
    [],
  ],
  ['one that refuses', { route: route('0.0.0.0/0', 'lo', { type: 'unreachable' }) }, []],
  ['none of a family that no gateway has', { director: { gateways: [] }, routes: [] }, []],
  [
    'a gateway that is its link',
    { director: { gateways: [gateway('', 'ppp0', { name: 'dsl' })] }, routes: [] },
    [
      "warning: the main table has no IPv4 default route: what is not shared out, and the router's own connections, go nowhere -> ip -4 route add default dev ppp0 metric 100",
    ],
  ],
]);
