// Gateways that packets can leave by, and those that they can't.

import { factsWith, gateway, link, testCheck, type Wrong } from '../../test/doctor-facts.ts';
import { gateways, sameGateway } from './gateways.ts';

/** The healthy router's links with another eth1. */
const withLink = (more: Parameters<typeof link>[2], prefix = '192.0.2.2/24'): Wrong => ({
  links: factsWith().links.map((each) =>
    each.name === 'eth1' ? link('eth1', prefix, more) : each,
  ),
});

const only = (...list: ReturnType<typeof gateway>[]): Wrong => ({ director: { gateways: list } });

testCheck(gateways, [
  [
    'no link',
    only(gateway('192.0.2.1', 'ppp0', { name: 'dsl' })),
    [
      'error: gateway dsl (192.0.2.1): there is no link ppp0 -> make the link, or give the gateway another one (ip link lists them)',
    ],
  ],
  [
    'one that nobody uses now',
    only(gateway('192.0.2.1', 'ppp0', { unavailable: 'its link ppp0 is not there' })),
    [
      'warning: gateway 192.0.2.1: there is no link ppp0 -> make the link, or give the gateway another one (ip link lists them)',
    ],
  ],
  [
    'a link that is down',
    withLink({ up: false, carrier: false }),
    ['error: gateway 192.0.2.1: eth1 is down -> ip link set eth1 up'],
  ],
  [
    'no carrier',
    withLink({ carrier: false }),
    [
      'error: gateway 192.0.2.1: eth1 has no carrier -> look at the cable of eth1, and at what is at its other end',
    ],
  ],
  [
    'no address',
    withLink({}, ''),
    [
      'error: gateway 192.0.2.1: eth1 has no IPv4 address that packets could leave with -> ip addr add ADDRESS/LENGTH dev eth1, with what the provider gave you',
    ],
  ],
  [
    'no address, and none is needed',
    { ...withLink({}, ''), ...only(gateway('192.0.2.1', 'eth1', { snat: { kind: 'none' } })) },
    [],
  ],
  [
    'a next hop on another link',
    only(gateway('203.0.113.1', 'eth1')),
    [
      'error: gateway 203.0.113.1: the main table looks for 203.0.113.1 on eth2 (203.0.113.0/24), not on eth1 -> ip -4 route replace 203.0.113.1 dev eth1',
    ],
  ],
  [
    'a next hop in no network of the link',
    only(gateway('198.51.100.1', 'eth1')),
    [
      "error: gateway 198.51.100.1: 198.51.100.1 is in no network of eth1 -> correct the gateway's address, or: ip -4 route replace 198.51.100.1 dev eth1",
    ],
  ],
  ['a next hop that the admin put there', only(gateway('198.51.100.1%eth1', 'eth1')), []],
  [
    'nobody answers',
    { neighbours: [{ address: '192.0.2.1', link: 'eth1', state: 'FAILED' }] },
    [
      "error: gateway 192.0.2.1: nobody answers for 192.0.2.1 on eth1 (neighbour FAILED) -> look whether the provider's router is on, and whether 192.0.2.1 is its address",
    ],
  ],
  [
    'a link that is the way itself',
    {
      ...only(gateway('', 'ppp0', { name: 'dsl' })),
      links: [link('ppp0', '192.0.2.9/32', { resolves: false })],
    },
    [],
  ],
]);

testCheck(sameGateway, [
  [
    'two names of one',
    only(
      gateway('192.0.2.1', 'eth1', { name: 'a' }),
      gateway('192.0.2.1', 'eth1', { name: 'b' }),
      gateway('192.0.2.1', 'eth2', { name: 'c' }),
    ),
    [
      'warning: gateways a and b are one: both lead to 192.0.2.1 on eth1 -> remove all but one; its weight says how much it gets',
    ],
  ],
]);
