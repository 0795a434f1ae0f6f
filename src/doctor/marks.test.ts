// Marks of others: those that hurt the director's, and those that do not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  factsWith,
  nftRule,
  rule,
  say,
  testCheck,
  type Wrong,
  withoutDirector,
} from '../../test/doctor-facts.ts';
import { findForeignMarks } from '../firewall/foreign-marks.ts';
import { findMarkCollisions, marks } from './marks.ts';

const move = (mask: string): string =>
  `lvsj ipvsadm -S > lvsj.saved && lvsj stop && lvsj start --connections 65536 --mark-mask ${mask} && lvsj ipvsadm -R < lvsj.saved`;

const mangle = (text: string, fwmark = 1): Wrong => ({
  table: { mangle: text },
  director: { services: [{ name: 'service web', family: 4, fwmark }] },
});

const tailscale = [
  '-A PREROUTING -j ts-prerouting',
  '-A ts-prerouting -m connmark --mark 0x80000/0xff0000 -j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000',
].join('\n');

const kube = '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN';

const setByNft = (value: number, hook: string, priority: number): Wrong => ({
  nft: nftRule(hook, priority, [{ mangle: { key: { meta: { key: 'mark' } }, value } }]),
});

testCheck(marks, [
  [
    'the admin sets the mark of a service',
    mangle('-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff'),
    [],
  ],
  ['and tests it', mangle('-A FORWARD -m mark --mark 0x1/0xffffff -j ACCEPT'), []],
  [
    'the admin keeps marks in conntrack as a whole',
    mangle('-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff'),
    [],
  ],
  [
    'the admin keeps fwmarks of services in conntrack, and no other bits',
    mangle(
      [
        '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffff --ctmask 0xffffff',
        '-A PREROUTING -i eth0 -m mark --mark 0x0/0xffffff -j MARK --set-xmark 0x2/0xffffff',
        '-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffff --ctmask 0xffffff',
      ].join('\n'),
    ),
    [],
  ],
  ['Tailscale', mangle(tailscale), []],
  [
    'Tailscale, and a service in its bits',
    mangle(tailscale, 0x10001),
    [
      'error: Tailscale: "iptables -t mangle -A ts-prerouting -m connmark --mark 0x80000/0xff0000 -j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000" restores bits 0xff0000 of the mark; service web has the fwmark 0x10001, which shares bits with it -> give service web a fwmark without the bits 0xff0000',
    ],
  ],
  ['Kubernetes', mangle(kube), []],
  [
    'Kubernetes, and a service that it would take for its own',
    mangle(kube, 0x4001),
    [
      'error: Kubernetes: "iptables -t mangle -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN" tests the mark 0x4000/0x4000; service web has the fwmark 0x4001, which shares bits with it -> give service web a fwmark without the bits 0x4000',
    ],
  ],
  [
    'Kubernetes, and a service with its very mark',
    mangle(kube, 0x4000),
    [
      'error: Kubernetes: "iptables -t mangle -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN" tests the mark 0x4000/0x4000; service web has the fwmark 0x4000, which shares bits with it -> give service web a fwmark without the bits 0x4000',
    ],
  ],
  [
    'a part of the mark of a service',
    mangle('-A PREROUTING -j MARK --set-xmark 0x10/0xf0', 0x21),
    [
      'error: "iptables -t mangle -A PREROUTING -j MARK --set-xmark 0x10/0xf0" sets the mark 0x10/0xf0; service web has the fwmark 0x21, which shares bits with it -> give service web a fwmark without the bits 0xf0',
    ],
  ],
  [
    'Calico, in the gateway bits',
    mangle('-A cali-PREROUTING -j MARK --set-xmark 0x0/0xffff0000'),
    [
      `error: Calico: "iptables -t mangle -A cali-PREROUTING -j MARK --set-xmark 0x0/0xffff0000" sets the mark 0x0/0xffff0000; 0xff000000 are the gateway bits -> ${move('0xff00')}`,
    ],
  ],
  [
    'a policy rule in the gateway bits',
    { rule: rule(900, { fwmark: { value: 0x100, mask: 0xffffff00 }, action: 'lookup 7' }) },
    [
      'error: "ip -4 rule 900" tests the mark 0x100/0xffffff00; 0xff000000 are the gateway bits -> free eight bits in a row of the mark, and start the director with them: lvsj start --mark-mask MASK',
    ],
  ],
  [
    'wg-quick’s mark as that of a service',
    {
      rule: rule(32765, { not: true, fwmark: { value: 0xca6c, mask: 0xffffffff }, table: '51820' }),
      director: { services: [{ name: 'service web', family: 4, fwmark: 0xca6c }] },
    },
    [
      'error: wg-quick: "ip -4 rule 32765" tests the mark 0xca6c/0xffffffff; service web has the fwmark 0xca6c, which shares bits with it -> give service web a fwmark without the bits 0xca6c',
    ],
  ],
  [
    'all bits, once the director has put its own there',
    setByNft(7, 'forward', -150),
    [
      'warning: "nft rule inet fw c handle 7" sets the mark 0x7/0xffffffff, all bits of it, after the director has put the gateway there: what belongs to that connection may take another -> set only the other bits: a mask of 0xffffff (iptables: --set-xmark 0x7/0xffffff)',
    ],
  ],
  ['all bits, before the director', setByNft(7, 'prerouting', -150), []],
  ['all bits, once they are saved', setByNft(7, 'postrouting', 0), []],
  [
    'our own table',
    {
      nft: nftRule(
        'forward',
        0,
        [{ mangle: { key: { meta: { key: 'mark' } }, value: 0x1000000 } }],
        'lvsj',
      ),
    },
    [],
  ],
]);

describe('without a director', () => {
  test('marks in the bits that it would take are a warning', () => {
    const { iptables } = factsWith(mangle('-A PREROUTING -j MARK --set-xmark 0x0/0xffff0000'));
    assert.deepEqual(marks.find(withoutDirector({ iptables })).map(say), [
      'warning: Calico: "iptables -t mangle -A PREROUTING -j MARK --set-xmark 0x0/0xffff0000" sets the mark 0x0/0xffff0000; 0xff000000 are the gateway bits -> lvsj start --mark-mask 0xff00',
    ]);
  });
});

test('foreign marks are listed with value, mask, place and owner', () => {
  const facts = factsWith({
    ...mangle('-A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT'),
    rule: rule(1001, { fwmark: { value: 0x100, mask: 0x3f00 } }),
  });
  assert.deepEqual(
    findForeignMarks(facts).map(({ value, mask, where, owner }) => [value, mask, where, owner]),
    [
      [0x100, 0x3f00, 'ip -4 rule 1001', 'mwan3'],
      [
        0x4000,
        0x4000,
        'iptables -t mangle -A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT',
        'Kubernetes',
      ],
    ],
  );
});

test('a configuration is compared with foreign marks before it is applied', () => {
  const facts = factsWith(mangle(`${kube}\n-A cali-PREROUTING -j MARK --set-xmark 0x0/0xffff0000`));
  const services = [
    { name: 'service web', fwmark: 1 },
    { name: 'service voip', fwmark: 0x4001 },
  ];
  assert.deepEqual(findMarkCollisions(facts, { markMask: 0xff000000, services }).map(say), [
    'error: Calico: "iptables -t mangle -A cali-PREROUTING -j MARK --set-xmark 0x0/0xffff0000" sets the mark 0x0/0xffff0000; 0xff000000 are the gateway bits -> mark-mask: 0x3fc0 is free',
    'error: Kubernetes: "iptables -t mangle -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN" tests the mark 0x4000/0x4000; service voip has the fwmark 0x4001, which shares bits with it -> give service voip a fwmark without the bits 0x4000',
  ]);
  const others = { markMask: 0x3fc0, services: services.slice(0, 1) };
  assert.deepEqual(findMarkCollisions(facts, others), []);
});
