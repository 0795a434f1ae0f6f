// Rules as nft 1.0.6 lists them in JSON -> what they do with marks, addresses, segments.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nftRule } from '../../test/doctor-facts.ts';
import { readFirewall } from './firewall.ts';
import { parseNft } from './nft.ts';
import { parseMarkUses } from './nft-marks.ts';
import type { FirewallRule } from './rule.ts';

const mark = { meta: { key: 'mark' } };
const ctMark = { ct: { key: 'mark' } };
const set = (value: unknown, key: object = mark) => ({ mangle: { key, value } });
const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });

describe('marks in a rule of nft', () => {
  for (const [words, expr, uses] of [
    ['meta mark set 4', set(4), ['set packet 4/ffffffff']],
    ['… set meta mark | 0x100', set({ '|': [mark, 256] }), ['set packet 100/100']],
    [
      '… set meta mark & 0xff | 0x100',
      set({ '|': [{ '&': [mark, 511] }, 256] }),
      ['set packet 100/ffffff00'],
    ],
    ['… set meta mark & 0x00ffffff', set({ '&': [mark, 0xffffff] }), ['set packet 0/ff000000']],
    ['meta mark set ct mark', set(ctMark), ['restore packet 0/ffffffff']],
    [
      'ct mark set meta mark & 0xff00',
      set({ '&': [mark, 0xff00] }, ctMark),
      ['save connection 0/ffffffff'],
    ],
    [
      '… set meta mark & 0xff | ct mark & 0xff00',
      set({ '|': [{ '&': [mark, 0xff] }, { '&': [ctMark, 0xff00] }] }),
      ['restore packet 0/ffffff00'],
    ],
    [
      '… set numgen inc mod 2 map { 0: 1, 1: 2 }',
      set({
        map: {
          key: { numgen: {} },
          data: {
            set: [
              [0, 1],
              [1, 2],
            ],
          },
        },
      }),
      ['set packet 1/ffffffff', 'set packet 2/ffffffff'],
    ],
    ['meta mark & 0xff == 5', match({ '&': [mark, 255] }, 5), ['test packet 5/ff']],
    [
      'meta mark { 1, 2-4 }',
      match(mark, { set: [1, { range: [2, 4] }] }),
      ['test packet 1/ffffffff', 'test packet 2/ffffffff', 'test packet 4/ffffffff'],
    ],
    ['ct mark != 3', match(ctMark, 3, '!='), ['test connection 3/ffffffff']],
    ['meta mark @s', match(mark, '@s'), []],
    [
      'meta mark & 0xf vmap { 1: accept }',
      { vmap: { key: { '&': [mark, 15] }, data: { set: [[1, { accept: null }]] } } },
      ['test packet 1/f'],
    ],
    ['ip saddr 10.0.0.1', match({ payload: { protocol: 'ip', field: 'saddr' } }, '10.0.0.1'), []],
  ] as [string, Record<string, unknown>, string[]][])
    test(`are read: ${words}`, () => {
      const found = parseMarkUses([expr]).map(
        ({ verb, of, value, mask }) => `${verb} ${of} ${value.toString(16)}/${mask.toString(16)}`,
      );
      assert.deepEqual(found, uses);
    });
});

const out = (right: unknown) => match({ meta: { key: 'oifname' } }, right);
const one = (...expr: object[]): FirewallRule =>
  parseNft(nftRule('postrouting', 100, expr))[0] as FirewallRule;

describe('a rule of nft', () => {
  test('changes the source address of what leaves by its links', () => {
    const { nat, places, where, remove } = one(out('eth1'), {
      snat: { family: 'ip', addr: { range: ['192.0.2.2', '192.0.2.5'] } },
    });
    assert.deepEqual(nat, { kind: 'snat', addresses: ['192.0.2.2', '192.0.2.5'] });
    const place = { hook: 'postrouting', priority: 100, out: { names: ['eth1'], not: false } };
    assert.deepEqual(places, [place]);
    assert.equal(where, 'nft rule inet fw c handle 7');
    assert.equal(remove, 'nft delete rule inet fw c handle 7');
  });

  test('of a map of addresses knows those that it gives', () => {
    const data = { set: [['10.0.0.1', '192.0.2.9']] };
    const key = { payload: { protocol: 'ip', field: 'saddr' } };
    assert.deepEqual(one({ snat: { family: 'ip', addr: { map: { key, data } } } }).nat, {
      kind: 'snat',
      addresses: ['192.0.2.9'],
    });
  });

  test('masquerades, makes segments fit, offloads', () => {
    assert.deepEqual(one({ masquerade: null }).nat, { kind: 'masquerade' });
    const mss = (value: unknown) =>
      one(set(value, { 'tcp option': { name: 'maxseg', field: 'size' } })).mss;
    assert.deepEqual([mss({ rt: { key: 'mtu' } }), mss(1360)], ['path', 1360]);
    assert.equal(one({ flow: { op: 'add', flowtable: '@ft' } }).offloads, true);
  });

  test('is met where verdict maps lead, too', () => {
    const vmap = { vmap: { key: mark, data: { set: [[1, { goto: { target: 'd' } }]] } } };
    const second = { family: 'inet', table: 'fw', chain: 'd', handle: 9, expr: [{ accept: null }] };
    const [, last] = parseNft([...nftRule('forward', 0, [vmap]), { rule: second }]);
    assert.deepEqual(last?.places, [{ hook: 'forward', priority: 0, out: null }]);
  });

  test('of our own table is ours', () => {
    const [rule] = parseNft(nftRule('forward', 0, [{ accept: null }], 'lvsj'));
    assert.equal(rule?.ours, true);
  });
});

describe('the firewall', () => {
  const inTable = { family: 'ip', table: 'mangle', chain: 'c', handle: 2, expr: [set(4)] };

  test('has a rule of iptables-nft once, as iptables-save tells it', () => {
    const text = '*mangle\n-A PREROUTING -j MARK --set-xmark 0x4/0xffffffff\nCOMMIT\n';
    const iptables = [{ program: 'iptables', family: 4 as const, text }];
    const found = readFirewall({ nft: [{ rule: inTable }], iptables });
    assert.deepEqual(
      found.map(({ where }) => where),
      ['iptables -t mangle -A PREROUTING -j MARK --set-xmark 0x4/0xffffffff'],
    );
  });

  test('has a rule of a table of that name that iptables does not know', () => {
    assert.equal(readFirewall({ nft: [{ rule: inTable }], iptables: [] }).length, 1);
  });
});
