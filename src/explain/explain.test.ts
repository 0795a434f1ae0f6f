// The walk of a first packet, with a kernel that tests pretend.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { config, rule } from '../../test/bpf/configured.ts';
import { applied, entry, route, slot, source } from '../../test/fake-source.ts';
import type { RuleConfig } from '../model/config.ts';
import type { Decision } from '../model/explanation.ts';
import { explain, type Question } from './explain.ts';
import type { FoundRoute, Source } from './source.ts';

const ask = (packet: Partial<Question['packet']> = {}, fwmark?: number): Question => ({
  packet: {
    ...{ family: 4, protocol: 6, client: '10.0.0.5', clientPort: 40000, server: '203.0.113.9' },
    ...{ serverPort: 443, dscp: 0 },
    ...packet,
  },
  fwmark,
});

function decide(question: Question, from = source()): Decision {
  const { decisions } = explain(question, from);
  assert.equal(decisions.length, 1);
  return decisions[0] as Decision;
}

const withRules = (rules: RuleConfig[]): Source =>
  source({ applied: { ...applied, config: { ...config, rules } } });

describe('a new connection', () => {
  test('has the rule, the service, the gateway and the source address', () => {
    const { packet, connection, decisions } = explain(ask(), source());
    assert.deepEqual([packet.link, connection], ['lan0', null]);
    const [{ candidates: _, ...decision } = {} as Decision, ...more] = decisions;
    assert.deepEqual(more, []);
    assert.deepEqual(decision, {
      ...{ condition: '', because: '', route: '', verdict: 'new', reason: 'scheduler' },
      rule: { name: 'https', at: 'lvsj.yaml:30', nft: '' },
      service: {
        ...{ name: 'web', fwmark: 1, scheduler: 'wlc', persistence: 60, persistenceKey: 'source' },
      },
      template: null,
      gateway: {
        ...{ name: 'fiber', id: 1, address: '192.0.2.1', link: 'wan1' },
        source: '192.0.2.50 (masquerade)',
      },
    });
  });

  test('shows why each other gateway is refused, also those that are not there', () => {
    const { candidates } = decide(ask());
    assert.deepEqual(
      candidates.map(({ gateway, refused, chosen }) => [gateway, refused, chosen]),
      [
        ['lte', 'drained; lvsj gateway lte enable', false],
        ['fiber', '', true],
        ['dsl', 'unavailable: no default route on wan3', false],
      ],
    );
  });

  test('tells full, deleted and weightless gateways apart', () => {
    const readSlots = () => [
      slot(1, { upper: 8, full: true, active: 7 }),
      slot(1, { configured: false }),
      slot(1, { weight: 0 }),
      slot(9),
    ];
    const { candidates } = decide(ask(), source({ readSlots }));
    assert.deepEqual(
      candidates.slice(0, 4).map(({ refused }) => refused),
      ['full at 8 connections, until fewer than 6 are left', 'deleted', 'weight 0', 'deleted'],
    );
  });

  test('without a gateway says why, and where it goes instead', () => {
    const answer = { verdict: 'no_gateway', gateway: 0, reason: '' };
    const all = source({ answer, readSlots: () => [slot(3, { weight: 0 })] });
    const { because, route: way, gateway } = decide(ask(), all);
    assert.deepEqual(
      [because, way, gateway],
      ['all gateways are refused', 'default via 192.0.2.1 dev wan1', null],
    );
    assert.match(decide(ask(), source({ answer })).because, /scheduler picks is refused/);
  });

  for (const [verdict, words] of [
    ['unreachable', 'all gateways are refused; the client is told (last-resort unreachable)'],
    ['dropped', 'all gateways are refused; it ends here (last-resort drop)'],
  ] as const)
    test(`without a gateway goes nowhere if it is ${verdict}`, () => {
      const answer = { verdict, gateway: 0, reason: '' };
      const all = source({ answer, readSlots: () => [slot(3, { weight: 0 })] });
      const { because, route: way, gateway } = decide(ask(), all);
      assert.deepEqual([because, way, gateway], [words, '', null]);
    });

  test('of a rule with nft depends on it', () => {
    const rules = [
      { ...rule('small', 'main', 'lvsj.yaml:7'), nft: 'meta length < 99' },
      rule('all', 'web', 'lvsj.yaml:8'),
    ];
    const { decisions } = explain(ask(), withRules(rules));
    assert.deepEqual(
      decisions.map(({ condition, because, gateway }) => [condition, because, gateway?.name]),
      [
        ['it matches meta length < 99', 'the rule says main', undefined],
        ['', '', 'fiber'],
      ],
    );
  });
});

describe('by the main table goes', () => {
  const from = (rules: RuleConfig[]) => withRules(rules);
  for (const [what, packet, because, given] of [
    ['what no rule matches', {}, 'no rule matches', from([])],
    ['what a rule sends there', {}, 'the rule says main', from([rule('x', 'main', '1')])],
    ['what goes to the router', { server: '10.0.0.1' }, '10.0.0.1 is the router itself', undefined],
    ['a group', { server: '224.0.0.9' }, 'it goes to a group (multicast)', undefined],
    [
      'what has a route of its own',
      { server: '10.9.0.1' },
      '10.0.0.0/8 has a route of its own',
      undefined,
    ],
    [
      "the router's own",
      { client: '10.0.0.1' },
      "the router's own connections are not shared out",
      undefined,
    ],
    [
      'what comes in from outside',
      { client: '203.0.113.9', server: '10.0.0.5' },
      'it comes in by wan2, the link of lte; its answers leave by that link',
      undefined,
    ],
  ] as [string, Partial<Question['packet']>, string, Source | undefined][])
    test(what, () => {
      const decision = decide(ask(packet), given);
      assert.deepEqual([decision.because, decision.gateway], [because, null]);
      assert.notEqual(decision.route, '');
    });

  test('what comes by a link that is none of the LAN', () => {
    const objects = { ...applied.objects, lan: ['lan7'] };
    const { because } = decide(ask(), source({ applied: { ...applied, objects } }));
    assert.equal(because, "lan0 is none of the LAN's links: lan7");
  });
});

describe('a connection that lives', () => {
  const answer = { verdict: 'known', reason: 'template', gateway: 3, connection: entry };

  test('keeps its gateway, and no scheduler is asked', () => {
    const { connection, decisions } = explain(ask(), source({ answer }));
    const { gatewayId: _, ...rest } = entry;
    assert.deepEqual(connection, { ...rest, gatewayName: 'lte' });
    const [decision] = decisions;
    assert.deepEqual([decision?.gateway?.name, decision?.candidates], ['lte', []]);
    assert.equal(decision?.gateway?.source, '10.0.0.5 (none)');
  });

  test('keeps it though no rule matches any more', () => {
    const from = { ...withRules([]), dryRun: source({ answer }).dryRun };
    const { gateway, rule: found, because } = decide(ask(), from);
    assert.deepEqual([gateway?.name, found, because], ['lte', null, '']);
  });

  test('that has ended is shown beside what comes next', () => {
    const ended = { verdict: 'new', reason: 'scheduler', gateway: 1, connection: entry };
    const { connection, decisions } = explain(ask(), source({ answer: ended }));
    assert.deepEqual([connection?.gatewayName, decisions[0]?.gateway?.name], ['lte', 'fiber']);
  });
});

describe('without a configuration', () => {
  const bare = source({ applied: undefined });

  test('each service is a case, for the marks are the admin’s', () => {
    const { decisions } = explain(ask(), bare);
    assert.deepEqual(
      decisions.map(({ condition, gateway, because }) => [condition, gateway?.name, because]),
      [
        ['its fwmark is 1', '192.0.2.1', ''],
        ['', undefined, 'no service has its fwmark'],
      ],
    );
    assert.equal(decisions[0]?.gateway?.source, '');
  });

  test('a mark may be told', () => {
    assert.equal(decide(ask({}, 1), bare).gateway?.id, 1);
    assert.equal(decide(ask({}, 7), bare).because, 'the director has no IPv4 service of fwmark 7');
  });
});

describe("the router's own connection", () => {
  const from = (given: Partial<FoundRoute>) =>
    source({
      applied: { ...applied, objects: { ...applied.objects, router } },
      findRoute: () => route('default', 'wan1', given),
    });
  const router = { fwmark: 1, sources: { 4: '10.0.0.1' } };

  test('is shared out where the kernel brings it to the director', () => {
    const {
      service,
      gateway,
      rule: found,
    } = decide(ask({ client: '10.0.0.1' }), from({ type: 'director', link: 'lvsj0' }));
    assert.deepEqual([service?.name, gateway?.name, found], ['web', 'fiber', null]);
  });

  test('leaves by the gateway whose address it has, and keeps it', () => {
    const { reason, gateway } = decide(ask({ client: '10.0.0.1' }), from({ gateway: 1 }));
    assert.deepEqual([reason, gateway?.name, gateway?.source], ['bound', 'fiber', '10.0.0.1']);
  });

  test('from another address goes by the main table', () => {
    assert.match(
      decide(ask({ client: '10.0.0.1' }), from({})).because,
      /only those from 10\.0\.0\.1 /,
    );
  });
});

describe('a question to a resolver', () => {
  const resolvers = [{ family: 4 as const, addresses: ['192.0.2.53'], id: 1 }];
  const objects = { ...applied.objects, resolvers };
  const to = (given: Partial<Source> = {}) =>
    source({
      applied: { ...applied, objects },
      findRoute: () => route('default', 'wan2'),
      ...given,
    });
  const question = { protocol: 17, server: '192.0.2.53', serverPort: 53 };

  test('goes by the gateway of that resolver, from the LAN and from the router', () => {
    for (const client of ['10.0.0.5', '10.0.0.1']) {
      const { reason, gateway, service, rule: found } = decide(ask({ ...question, client }), to());
      assert.deepEqual([reason, gateway?.name, service, found], ['resolver', 'fiber', null, null]);
      assert.equal(gateway?.source, '192.0.2.50 (masquerade)');
    }
  });

  test('is nothing else to it, and no question to anybody else', () => {
    for (const other of [{ serverPort: 54 }, { protocol: 1 }, { server: '192.0.2.54' }])
      assert.notEqual(decide(ask({ ...question, ...other }), to()).reason, 'resolver');
  });

  test('goes by a route of its own first, which most often is that of the same link', () => {
    const near = (link: string) => to({ findRoute: () => route('192.0.2.0/24', link) });
    assert.equal(decide(ask(question), near('wan1')).gateway?.name, 'fiber');
    const { gateway, because } = decide(ask(question), near('tun0'));
    assert.deepEqual([gateway, because], [null, '192.0.2.0/24 has a route of its own']);
  });
});

test('a link that is not there, and a client that nobody can reach, are errors', () => {
  assert.throws(() => explain(ask({ link: 'eth9' }), source()), /there is no link eth9/);
  assert.throws(() => explain(ask({ client: '172.16.0.1' }), source()), /no route back .* --link/);
});
