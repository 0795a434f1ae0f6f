// Rules of others before the director's: those that take its packets, and those that do not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  route,
  rule,
  say,
  testCheck,
  type Wrong,
  withoutDirector,
} from '../../test/doctor-facts.ts';
import { policyRules, rulesInRange } from './policy-rules.ts';

const lookup = (table: string) => ({ action: `lookup ${table}`, table });
const everything = route('0.0.0.0/0', 'tun0', { table: '52' });
const tailnet = route('100.64.0.0/10', 'tailscale0', { table: '52' });

const mark = (value: number, mask = 0xffffffff) => ({ fwmark: { value, mask } });

/** This rule, and what table 52 holds. */
const before = (more: Parameters<typeof rule>[1], table = everything): Wrong => ({
  rule: rule(100, { ...lookup('52'), ...more }),
  route: table,
});

const taken = (words: string, what: string, why: string): string =>
  `ip -4 rule 100 (${words}) comes before the director's rules and takes ${what} of service web: ${why} -> ` +
  `ip -4 rule add priority 21000 ${words} && ip -4 rule del priority 100 ${words}`;
const why = 'table 52 has a route to 0.0.0.0/0';

testCheck(policyRules, [
  [
    'an exit node of Tailscale',
    before({}),
    [`error: ${taken('from all lookup 52', 'the packets', why)}`],
  ],
  ['Tailscale without an exit node', before({}, tailnet), []],
  ['one of wg-quick that passes over the default route', before({ suppress: 0 }), []],
  [
    'one that passes over the default route, and meets half of it',
    before({ suppress: 0 }, route('0.0.0.0/1', 'tun0', { table: '52' })),
    [
      `error: ${taken('from all lookup 52 suppress_prefixlength 0', 'the packets', 'table 52 has a route to 0.0.0.0/1')}`,
    ],
  ],
  [
    'the mark of a service',
    before(mark(1)),
    [`error: ${taken('from all fwmark 0x1/0xffffffff lookup 52', 'the packets', why)}`],
  ],
  ['a mark of others', before(mark(0x80000, 0xff0000)), []],
  [
    'all marks but one of others',
    before({ ...mark(0xca6c), not: true }),
    [`error: ${taken('not from all fwmark 0xca6c/0xffffffff lookup 52', 'the packets', why)}`],
  ],
  [
    'some of the LAN',
    before({ from: '10.0.0.128/25' }),
    [`warning: ${taken('from 10.0.0.128/25 lookup 52', 'packets', why)}`],
  ],
  [
    'a port',
    before({ rest: 'ipproto tcp dport 25' }),
    [`warning: ${taken('from all ipproto tcp dport 25 lookup 52', 'packets', why)}`],
  ],
  ["the router's own address", before({ from: '192.0.2.2' }), []],
  ["the router's own users", before({ rest: 'uidrange 0-100' }), []],
  ['one destination', before({ to: '198.51.100.0/24' }), []],
  ['packets from a link that is not the LAN', before({ iif: 'tun0' }), []],
  [
    'an end',
    before({ action: 'prohibit', table: '' }),
    [`error: ${taken('from all prohibit', 'the packets', 'it ends the search')}`],
  ],
  [
    'a jump past the director',
    before({ action: 'goto 32766', table: '' }),
    [`error: ${taken('from all goto 32766', 'the packets', 'it jumps past them')}`],
  ],
  ['the rule for links in a VRF', before({ action: 'lookup', table: '' }), []],
  ['the same behind the director', { rule: rule(30000, lookup('52')), route: everything }, []],
]);

test('rules-in-range: a rule where the director’s will be', () => {
  const facts = withoutDirector({ rules: [rule(20000, { ...lookup('7'), from: '192.0.2.2' })] });
  assert.deepEqual(rulesInRange.find(facts).map(say), [
    "warning: ip -4 rule 20000 (from 192.0.2.2 lookup 7) is in the range of the director's rules (20000 to 20999), and would be removed as if it were one -> ip -4 rule add priority 21000 from 192.0.2.2 lookup 7 && ip -4 rule del priority 20000 from 192.0.2.2 lookup 7",
  ]);
});

testCheck(rulesInRange, [['the director’s own', { rule: rule(20901, lookup('20000')) }, []]]);
