// Lines as iptables-save 1.8.9 prints them -> what they do with marks, addresses, segments.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIptables } from './iptables.ts';
import { covers, type FirewallRule } from './rule.ts';

const parse = (text: string): FirewallRule[] =>
  parseIptables({ program: 'iptables', family: 4, text });

const one = (line: string, table = 'mangle'): FirewallRule =>
  parse(`# Generated\n*${table}\n:PREROUTING ACCEPT [0:0]\n${line}\nCOMMIT\n`)[0] as FirewallRule;

describe('a rule of iptables', () => {
  for (const [line, marks] of [
    ['-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff', ['set packet 1/ffffffff']],
    ['-A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT', ['test packet 4000/4000']],
    ['-A PREROUTING -m mark ! --mark 0x7 -j ACCEPT', ['test packet 7/ffffffff']],
    [
      '-A PREROUTING -m connmark ! --mark 0x40/0xf0 -j MARK --set-xmark 0x10/0x10',
      ['test connection 40/f0', 'set packet 10/10'],
    ],
    [
      '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000',
      ['restore packet 0/ff0000'],
    ],
    ['-A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff', ['save connection 0/ff']],
    ['-A PREROUTING -j CONNMARK --set-xmark 0x5/0xffffffff', ['set connection 5/ffffffff']],
    ['-A PREROUTING -m comment --comment "-j MARK --set-mark 9" -j ACCEPT', []],
  ] as const)
    test(`uses marks: ${line}`, () => {
      const found = one(line).marks.map(
        ({ verb, of, value, mask }) => `${verb} ${of} ${value.toString(16)}/${mask.toString(16)}`,
      );
      assert.deepEqual(found, marks);
    });

  for (const [line, addresses] of [
    ['-A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.2', ['192.0.2.2']],
    [
      '-A POSTROUTING -j SNAT --to-source 192.0.2.2-192.0.2.5:1024-2048',
      ['192.0.2.2', '192.0.2.5'],
    ],
    ['-A POSTROUTING -j SNAT --to-source 2001:db8:1::2', ['2001:db8:1::2']],
    ['-A POSTROUTING -j SNAT --to-source [2001:db8:1::2]:1024', ['2001:db8:1::2']],
    ['-A POSTROUTING -j NETMAP --to 192.0.2.0/24', ['192.0.2.0/24']],
  ] as const)
    test(`changes the source address: ${line}`, () => {
      assert.deepEqual(one(line, 'nat').nat, { kind: 'snat', addresses });
    });

  test('masquerades, makes segments fit, offloads', () => {
    assert.deepEqual(one('-A POSTROUTING -o eth1 -j MASQUERADE', 'nat').nat, {
      kind: 'masquerade',
    });
    const mss = (words: string) => one(`-A FORWARD -p tcp -j TCPMSS ${words}`).mss;
    assert.deepEqual([mss('--clamp-mss-to-pmtu'), mss('--set-mss 1360')], ['path', 1360]);
    assert.equal(one('-A FORWARD -j FLOWOFFLOAD', 'filter').offloads, true);
  });

  test('is named by the command that makes it, and deleted by the one that says so', () => {
    const { where, remove } = one('-A FORWARD -j FLOWOFFLOAD --hw', 'filter');
    assert.equal(where, 'iptables -t filter -A FORWARD -j FLOWOFFLOAD --hw');
    assert.equal(remove, 'iptables -t filter -D FORWARD -j FLOWOFFLOAD --hw');
  });

  test('is picky if it asks for more than a source, a protocol and links', () => {
    const picky = (words: string) => one(`-A POSTROUTING ${words} -j MASQUERADE`, 'nat').picky;
    assert.equal(picky('-s 10.0.0.0/24 -o eth1 -p tcp -m tcp --dport 80'), false);
    assert.equal(picky('-d 10.0.0.5/32'), true);
    assert.equal(picky('-m mark --mark 0x1'), true);
  });
});

describe('where packets meet a rule of iptables', () => {
  test('is its chain, at the priority of its table', () => {
    assert.deepEqual(one('-A FORWARD -j ACCEPT').places, [
      { hook: 'forward', priority: -150, out: null },
    ]);
  });

  test('is, in a chain of the admin, wherever a jump leads there, with what the jump asks for', () => {
    const [, , rule] = parse(
      '*nat\n-A POSTROUTING -o eth1 -j ISP\n-A POSTROUTING ! -o eth+ -g ISP\n-A ISP -j MASQUERADE\nCOMMIT\n',
    );
    const out = rule?.places.map((place) => place.out);
    assert.deepEqual(out, [
      { names: ['eth1'], not: false },
      { names: ['eth*'], not: true },
    ]);
    assert.deepEqual(
      out?.map((match) => [covers(match, 'eth1'), covers(match, 'ppp0')]),
      [
        [true, false],
        [false, true],
      ],
    );
  });

  test('is nowhere in a chain that nobody jumps to, and ends where chains go round', () => {
    assert.deepEqual(one('-A LOST -j ACCEPT').places, []);
    const [round] = parse('*filter\n-A A -j B\n-A B -j A\n-A INPUT -j A\nCOMMIT\n');
    assert.equal(round?.places.length, 1);
  });
});
