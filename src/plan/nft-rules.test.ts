// What nftables is told of a rule.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RuleConfig, SetConfig } from '../model/config.ts';
import { counterName, planRule } from './nft-rules.ts';

const rule = (given: Partial<RuleConfig>): RuleConfig => ({
  ...{ name: 'a', at: 'lvsj.yaml:1', from: [], to: [], protocols: [], sport: [], dport: [] },
  ...{ dscp: [], links: [], nft: '', service: 'web' },
  ...given,
});

const sets = new Map<string, SetConfig>([
  ['office', { name: 'office', prefixes: ['10.1.0.0/16', '2001:db8:1::/48'], domains: [] }],
  ['video', { name: 'video', prefixes: [], domains: ['example.org'] }],
]);

const cases: [string, Partial<RuleConfig>, string[]][] = [
  ['of everything', {}, ['']],
  ['by sender', { from: ['10.0.0.0/24'] }, ['meta nfproto ipv4 ip saddr 10.0.0.0/24']],
  [
    'of both families',
    { from: ['10.0.0.0/24', '2001:db8::/64'], to: ['192.0.2.0/24', '2001:db8:9::/48'] },
    [
      'meta nfproto ipv4 ip saddr 10.0.0.0/24 ip daddr 192.0.2.0/24',
      'meta nfproto ipv6 ip6 saddr 2001:db8::/64 ip6 daddr 2001:db8:9::/48',
    ],
  ],
  [
    'by ports of one protocol',
    {
      protocols: [6],
      dport: [
        [80, 80],
        [8000, 8099],
      ],
    },
    ['meta l4proto 6 th dport { 80, 8000-8099 }'],
  ],
  [
    'by a port of any protocol that has ports',
    { sport: [[53, 53]] },
    ['meta l4proto { 6, 17, 132 } th sport 53'],
  ],
  ['by link', { links: ['eth0', 'wg0'] }, ['iifname { "eth0", "wg0" }']],
  [
    'by class of service, which each family has a place of its own for',
    { dscp: [46] },
    ['meta nfproto ipv4 ip dscp 46', 'meta nfproto ipv6 ip6 dscp 46'],
  ],
  ['in nftables’ own words', { nft: 'meta hour 9-17' }, ['meta hour 9-17']],
  [
    'by a set, with addresses beside it',
    { from: ['10.0.0.1/32', '@office'] },
    [
      'meta nfproto ipv4 ip saddr 10.0.0.1/32',
      'meta nfproto ipv4 ip saddr @set_office_4',
      'meta nfproto ipv6 ip6 saddr @set_office_6',
    ],
  ],
  [
    'by a name of DNS',
    { to: ['@video'] },
    ['meta nfproto ipv4 ip daddr @dns_video_4', 'meta nfproto ipv6 ip6 daddr @dns_video_6'],
  ],
];

describe('a rule', () => {
  for (const [what, given, lines] of cases)
    test(what, () => assert.deepEqual(planRule(rule(given), 1, sets).lines, lines));

  test('has a counter of its own, whatever its name looks like', () => {
    assert.match(counterName('from 10.0.0.0/24 -> "web"; }'), /^rule_[0-9a-f]{16}$/);
    assert.notEqual(counterName('a'), counterName('b'));
  });
});
