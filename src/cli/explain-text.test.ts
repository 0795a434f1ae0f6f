// lvsj explain for people: the lines of each kind of answer.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision, ExplainedEntry, Explanation } from '../model/explanation.ts';
import { formatExplanation } from './explain-text.ts';

const fiber = {
  ...{ name: 'fiber', id: 1, address: '192.0.2.1', link: 'eth1', source: '192.0.2.2 (masquerade)' },
};

const decision = (given: Partial<Decision> = {}): Decision => ({
  condition: '',
  rule: { name: 'lan-web', at: '/etc/lvsj/lvsj.yaml:30', nft: '' },
  service: {
    ...{ name: 'web', fwmark: 1, scheduler: 'wlc', persistence: 300, persistenceKey: 'source' },
  },
  ...{ verdict: 'new', reason: 'scheduler', template: null, candidates: [], because: '' },
  gateway: fiber,
  route: '',
  ...given,
});

const byMain = decision({
  ...{ rule: null, service: null, gateway: null, verdict: '', reason: '' },
  ...{ because: 'no rule matches', route: 'default via 192.0.2.1 dev eth1' },
});

const candidate = {
  ...{ gateway: 'fiber', id: 1, tier: 1, weight: 3, upper: 0, lower: 0, active: 12, inactive: 140 },
  ...{ refused: '', passed: '', chosen: true },
};

const entry: ExplainedEntry = {
  ...{ protocol: 6, family: 4, client: '10.0.0.5', clientPort: 40000, server: '203.0.113.9' },
  ...{ serverPort: 443, gateway: '192.0.2.1', gatewayPort: 443, state: 'ESTABLISHED' },
  ...{ expires: 890, fwmark: 1, age: 20, reason: 'template', generation: 2, gatewayName: 'fiber' },
};

const explanation = (given: Partial<Explanation> = {}): Explanation => ({
  packet: {
    ...{ family: 4, protocol: 6, client: '10.0.0.5', clientPort: 40000, server: '203.0.113.9' },
    ...{ serverPort: 443, link: 'eth0', dscp: 0 },
  },
  connection: null,
  decisions: [decision()],
  ...given,
});

const lines = (given: Partial<Explanation> = {}): string[] =>
  formatExplanation(explanation(given)).trimEnd().split('\n');

describe('an explanation for people', () => {
  test('is a few aligned lines', () => {
    const others = { ...candidate, gateway: 'lte', chosen: false, weight: 0, active: 0 };
    const refused = 'drained; lvsj gateway lte enable';
    const candidates = [candidate, { ...others, refused }];
    assert.deepEqual(lines({ decisions: [decision({ candidates })] }), [
      'packet      tcp 10.0.0.5:40000 -> 203.0.113.9:443, from eth0',
      'connection  none yet',
      'rule        lan-web (/etc/lvsj/lvsj.yaml:30)',
      'service     web: fwmark 1, wlc, persistent 300 s by source',
      'candidates  gateway  weight  active  inactive',
      '            fiber         3      12       140  chosen',
      '            lte           0       0       140  drained; lvsj gateway lte enable',
      'gateway     fiber (1): 192.0.2.1 on eth1, by scheduler',
      'source      192.0.2.2 (masquerade)',
    ]);
  });

  test('names the tiers where there are several', () => {
    const candidates = [
      { ...candidate, chosen: false, refused: 'full at 9 connections' },
      { ...candidate, gateway: 'lte', tier: 2 },
      {
        ...candidate,
        gateway: 'sat',
        tier: 5,
        chosen: false,
        passed: 'not asked: tier 2 takes it',
      },
    ];
    assert.deepEqual(lines({ decisions: [decision({ candidates })] }).slice(4, 8), [
      'candidates  tier  gateway  weight  active  inactive',
      '               1  fiber         3      12       140  full at 9 connections',
      '               2  lte           3      12       140  chosen',
      '               5  sat           3      12       140  not asked: tier 2 takes it',
    ]);
  });

  test('says what really happened to a connection that lives', () => {
    const known = decision({ verdict: 'known', reason: 'template' });
    assert.deepEqual(lines({ connection: entry, decisions: [known] }).slice(1), [
      'connection  ESTABLISHED, began 20 s ago, ends in 14 min without packets; fiber by template under configuration 2',
      'rule        lan-web (/etc/lvsj/lvsj.yaml:30)',
      'service     web: fwmark 1, wlc, persistent 300 s by source',
      'gateway     fiber (1): 192.0.2.1 on eth1; as the connection that lives',
      'source      192.0.2.2 (masquerade)',
    ]);
  });

  test('says of one that has ended that the next is scheduled anew', () => {
    const ended = { ...entry, state: 'TIME_WAIT', age: 7300, generation: 0 };
    assert.deepEqual(lines({ connection: ended }).slice(1, 3), [
      'connection  TIME_WAIT, began 2 h ago, ends in 14 min without packets; fiber by template',
      '            ended: the next one is scheduled anew',
    ]);
  });

  test('tells a template that is used from one that is not', () => {
    const template = { ...entry, protocol: 0, expires: 100 };
    for (const [reason, text] of [
      ['template', 'template    fiber, 100 s left'],
      ['scheduler', 'template    fiber, 100 s left; not used, for it takes no new connection'],
    ])
      assert.ok(lines({ decisions: [decision({ template, reason })] }).includes(text as string));
  });

  test('says why there is no gateway, and the route that is taken', () => {
    assert.deepEqual(lines({ decisions: [byMain] }).slice(2), [
      'gateway     none: no rule matches',
      'route       default via 192.0.2.1 dev eth1',
    ]);
  });

  test('gives each case where a condition can’t be judged', () => {
    const condition = 'it matches meta length < 99';
    const text = lines({ decisions: [decision({ condition }), byMain] });
    assert.deepEqual(
      [text[2], text[3], text.at(-4), text.at(-3)],
      ['', `if          ${condition}`, '', 'else'],
    );
  });

  test('names what is special of a packet', () => {
    const { packet } = explanation();
    const first = (given: Partial<Explanation['packet']>) =>
      lines({ packet: { ...packet, ...given } })[0];
    assert.equal(
      first({ protocol: 58, client: 'fd00::5', server: '2001:db8::1', clientPort: 7, dscp: 46 }),
      'packet      icmpv6 fd00::5 -> 2001:db8::1, from eth0, identifier 7, dscp 46',
    );
    assert.equal(
      first({ client: 'fd00::5', server: '2001:db8::1', link: '' }),
      "packet      tcp [fd00::5]:40000 -> [2001:db8::1]:443, the router's own",
    );
  });

  test('notes what nobody will remember', () => {
    const noted = (verdict: string) => lines({ decisions: [decision({ verdict })] }).at(-2);
    assert.match(noted('table_full') ?? '', /; the table is full: nothing remembers it$/);
    assert.match(noted('one_packet') ?? '', /; for this datagram alone$/);
  });
});
