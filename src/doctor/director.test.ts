// A director that is whole, and what can be wrong with one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { link, nftRule, say, testCheck, withoutDirector } from '../../test/doctor-facts.ts';
import { conntrack, expiry, lanPrograms, objects, table } from './director.ts';
import { networkd, others } from './others.ts';

const file = '/etc/lvsj/lvsj.yaml';
const idle = 'lvsj ipvsadm --set 0 0 0';

testCheck(conntrack, [
  [
    'nearly full',
    { sysctl: { 'net/netfilter/nf_conntrack_count': '250000' } },
    [
      'warning: conntrack is 95 % full (250000 of 262144); once it is, new connections are dropped -> sysctl -w net.netfilter.nf_conntrack_max=524288',
    ],
  ],
  [
    'full, in a namespace',
    {
      sysctl: { 'net/netfilter/nf_conntrack_count': '262144' },
      conntrackMaxIsWritable: false,
    },
    [
      "error: conntrack is 100 % full (262144 of 262144); once it is, new connections are dropped -> sysctl -w net.netfilter.nf_conntrack_max=524288 (in the machine's first network namespace)",
    ],
  ],
  [
    'smaller than our table',
    { director: { connections: { now: 1, limit: 1048576 } } },
    [
      'note: conntrack has room for 262144 connections, the director for 1048576: the smaller one counts -> sysctl -w net.netfilter.nf_conntrack_max=1048576',
    ],
  ],
  ['not loaded', { sysctls: {} }, []],
]);

testCheck(table, [
  [
    'nearly full',
    { director: { connections: { now: 60000, limit: 65536 } } },
    [
      "warning: the director's table is 91 % full (60000 of 65536); once it is, new connections are not pinned to a gateway -> lvsj stop && lvsj start --connections 131072, at a quiet time, and the services again",
    ],
  ],
]);

const unpinned =
  "error: the pin of the director's timers in /sys/fs/bpf is gone: connections expire no more, and averages stand still";

testCheck(expiry, [
  ['no pin', { director: { timersPinned: false } }, [`${unpinned} -> ${idle}`]],
  [
    'no pin, of a configuration',
    { director: { timersPinned: false, file } },
    [`${unpinned} -> lvsj apply ${file}`],
  ],
  [
    'nothing moves',
    { director: { expiryAlive: false } },
    [
      "error: the director's timers are pinned, but none has fired for two seconds: connections expire no more -> lvsj stop, and start it again; please report it",
    ],
  ],
]);

const add = 'ip -4 rule add priority 20101 fwmark 0x1000000/0xff000000 lookup 20001';
const del = 'ip -6 rule del priority 20500  lookup main';
const taken = "error: somebody has taken away policy rules or routes of the director's";

testCheck(objects, [
  ['a rule is gone', { director: { repairs: [add, del] } }, [`${taken} -> ${add} && ${del}`]],
  [
    'a rule of a configuration is gone',
    { director: { repairs: [add], file } },
    [`${taken} -> lvsj apply ${file}`],
  ],
  [
    'a rule too many',
    { director: { repairs: [del] } },
    [
      `warning: the range of the director's policy rules and tables (20000 to 20999) has some that are not its own -> ${del}`,
    ],
  ],
  [
    'no way to the program',
    { director: { withoutProgram: [4, 6] } },
    [
      "error: the route to the director's program is gone (IPv4, IPv6, table 20000): nothing is shared out -> lvsj ipvsadm -S > lvsj.saved && lvsj stop && lvsj start --connections 65536 --mark-mask 0xff000000 && lvsj ipvsadm -R < lvsj.saved",
    ],
  ],
  [
    'no way to the program, of a configuration',
    { director: { withoutProgram: [4], file } },
    [
      `error: the route to the director's program is gone (IPv4, table 20000): nothing is shared out -> lvsj stop && lvsj apply ${file}`,
    ],
  ],
  [
    'no nftables table',
    { director: { nftIsDamaged: true } },
    [
      'error: the nftables table inet lvsj is gone, or somebody has changed it: conntrack does not keep gateways as it should -> lvsj ipvsadm -S > lvsj.saved && lvsj ipvsadm -C && lvsj ipvsadm -R < lvsj.saved',
    ],
  ],
]);

test('objects: what is left of a director', () => {
  assert.deepEqual(objects.find(withoutDirector()), []);
  const facts = withoutDirector({ links: [link('lvsj0', '')] });
  assert.deepEqual(objects.find(facts).map(say), [
    'error: a part of a director is here (lvsj0), but not its programs: it was damaged, or half taken away -> lvsj stop',
  ]);
});

testCheck(lanPrograms, [
  [
    'a link without',
    { director: { lanWithoutPrograms: ['eth3'] } },
    [
      `error: eth3 is the LAN's, but the director's programs are not on it: its connections are neither known nor counted -> ${idle}`,
    ],
  ],
]);

testCheck(others, [
  [
    'mwan3 and pbr',
    {
      table: { mangle: '-A PREROUTING -j mwan3_hook' },
      nft: [{ rule: { family: 'inet', table: 'fw4', chain: 'pbr_forward', handle: 1, expr: [] } }],
    },
    [
      "warning: mwan3 chooses links here too (its chains are in the firewall): two directors undo each other's choice -> service mwan3 stop && service mwan3 disable",
      "warning: pbr chooses links here too (its chains are in the firewall): two directors undo each other's choice -> service pbr stop && service pbr disable",
    ],
  ],
  ['ours', { nft: nftRule('forward', 0, [{ jump: { target: 'pbr_x' } }], 'lvsj') }, []],
]);

testCheck(networkd, [
  [
    'it takes rules away',
    { networkdTakesRules: true },
    [
      'warning: systemd-networkd takes away policy rules and routes that it did not make, whenever it starts again -> mkdir -p /etc/systemd/networkd.conf.d && printf "[Network]\\nManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n" > /etc/systemd/networkd.conf.d/lvsj.conf',
    ],
  ],
]);
