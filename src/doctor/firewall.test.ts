// Offload, segments and source addresses that are right, and that are wrong.

import {
  factsWith,
  gateway,
  link,
  nftRule,
  testCheck,
  type Wrong,
} from '../../test/doctor-facts.ts';
import { largeReceive, mtu, offload, sourceAddress } from './firewall.ts';

const flow = { flow: { op: 'add', flowtable: '@ft' } };

testCheck(offload, [
  [
    'a flowtable of nft',
    { nft: nftRule('forward', 0, [flow], 'fw4') },
    [
      'error: "nft rule inet fw4 c handle 7" sends flows past the policy rules: they take the way that the main table had when they were offloaded -> nft delete rule inet fw4 c handle 7',
    ],
  ],
  [
    'that of iptables',
    { table: { filter: '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j FLOWOFFLOAD' } },
    [
      'error: "iptables -t filter -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j FLOWOFFLOAD" sends flows past the policy rules: they take the way that the main table had when they were offloaded -> iptables -t filter -D FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j FLOWOFFLOAD',
    ],
  ],
  ['in a chain that nobody jumps to', { table: { filter: '-A LOST -j FLOWOFFLOAD' } }, []],
]);

const large = "large receive offload is on for eth0: it makes packets that can't be forwarded";

testCheck(largeReceive, [
  ['on', { lro: { eth0: 'on' } }, [`warning: ${large} -> ethtool -K eth0 lro off`]],
  [
    'on for good',
    { lro: { eth0: 'on [fixed]' } },
    [`note: ${large} -> its driver does not let it be switched off: ethtool -k eth0`],
  ],
]);

/** eth2 carries less than the LAN. */
const small = (more: Wrong = {}): Wrong => ({
  links: factsWith().links.map((each) => (each.name === 'eth2' ? { ...each, mtu: 1492 } : each)),
  ...more,
});
const hangs = (fix: string, bytes = 1492): string =>
  `warning: gateway 203.0.113.1: packets of more than ${bytes} bytes do not fit, and eth0 has 1500: TCP hangs where ICMP is filtered -> ${fix}`;
const clamp = 'iptables -t mangle -A FORWARD -o eth2 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS';
const maxseg = (value: unknown) => ({
  mangle: { key: { 'tcp option': { name: 'maxseg', field: 'size' } }, value },
});
const narrow = { gateways: [gateway('203.0.113.1', 'eth2', { mtu: 1400 })] };

testCheck(mtu, [
  ['a smaller link', small(), [hangs(`${clamp} --clamp-mss-to-pmtu`)]],
  [
    'the same, of a configuration',
    small({ director: { file: '/etc/lvsj/lvsj.yaml' } }),
    [hangs('lvsj apply /etc/lvsj/lvsj.yaml')],
  ],
  [
    'clamped by iptables',
    small({ table: { mangle: '-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu' } }),
    [],
  ],
  [
    'clamped on another link',
    small({ table: { mangle: '-A FORWARD -o eth1 -p tcp -j TCPMSS --clamp-mss-to-pmtu' } }),
    [hangs(`${clamp} --clamp-mss-to-pmtu`)],
  ],
  [
    'clamped by nft, ours or not',
    small({ nft: nftRule('postrouting', -141, [maxseg(1452)], 'lvsj') }),
    [],
  ],
  [
    'clamped to too much',
    small({ nft: nftRule('forward', 0, [maxseg(1460)]) }),
    [hangs(`${clamp} --clamp-mss-to-pmtu`)],
  ],
  [
    'less on the way than on the link',
    { director: narrow, nft: nftRule('forward', 0, [maxseg({ rt: { key: 'mtu' } })]) },
    [hangs(`${clamp} --set-mss 1360`, 1400)],
  ],
]);

const snat = (line: string): Wrong => ({ table: { nat: line } });
const named = (words: string, more: string): string => `"iptables -t nat ${words}" ${more}`;

testCheck(sourceAddress, [
  ['an address of the link', snat('-A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.2'), []],
  [
    "another link's",
    snat('-A POSTROUTING -o eth1 -j SNAT --to-source 203.0.113.2'),
    [
      `error: ${named('-A POSTROUTING -o eth1 -j SNAT --to-source 203.0.113.2', 'lets packets leave by eth1 with 203.0.113.2, which is an address of eth2: the provider drops them, or answers come in there')} -> iptables -t nat -D POSTROUTING -o eth1 -j SNAT --to-source 203.0.113.2 && iptables -t nat -A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.2`,
    ],
  ],
  [
    "nobody's, in the link's network",
    snat('-A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.9'),
    [
      `warning: ${named('-A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.9', "lets packets leave by eth1 with 192.0.2.9, which nobody has there: the provider's router finds nobody to give answers to")} -> ip addr add 192.0.2.9/32 dev eth1`,
    ],
  ],
  [
    'one that the provider may route',
    snat('-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.9'),
    [
      `note: ${named('-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.9', 'lets packets leave by eth1 with 198.51.100.9, which is in no network of it')} -> nothing, if the provider routes it to you`,
    ],
  ],
  [
    'one for all links',
    snat('-A POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2'),
    [
      `error: ${named('-A POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2', 'gives packets the address 192.0.2.2 whichever link they leave by; only eth1 has it')} -> iptables -t nat -D POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2 && iptables -t nat -A POSTROUTING -o eth1 -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2`,
    ],
  ],
  [
    'for one server of ours',
    snat('-A POSTROUTING -d 10.0.0.5/32 -j SNAT --to-source 192.0.2.2'),
    [],
  ],
  [
    'by nft',
    {
      nft: nftRule('postrouting', 100, [
        { match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'eth2' } },
        { snat: { family: 'ip', addr: '192.0.2.2' } },
      ]),
    },
    [
      'error: "nft rule inet fw c handle 7" lets packets leave by eth2 with 192.0.2.2, which is an address of eth1: the provider drops them, or answers come in there -> nft delete rule inet fw c handle 7 && nft add rule inet fw c oifname "eth2" snat ip to 203.0.113.2',
    ],
  ],
  [
    'none for a private LAN',
    { iptables: [] },
    ['192.0.2.1 eth1', '203.0.113.1 eth2'].map((words) => {
      const [address, name] = words.split(' ');
      return `warning: gateway ${address}: what comes from 10.0.0.0/24 leaves ${name} with its private address, to which no answer finds back -> iptables -t nat -A POSTROUTING -o ${name} -j MASQUERADE`;
    }),
  ],
  [
    'none for a gateway that nothing goes to',
    {
      iptables: [],
      director: { gateways: [gateway('192.0.2.1', 'eth1', { unavailable: 'disabled' })] },
    },
    [],
  ],
  [
    'none for a public LAN',
    {
      iptables: [],
      links: [
        link('eth0', '198.51.100.1/24'),
        link('eth1', '192.0.2.2/24'),
        link('eth2', '203.0.113.2/24'),
      ],
    },
    [],
  ],
]);
