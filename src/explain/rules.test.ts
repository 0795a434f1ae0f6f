// Which rule decides: by hand, and against a slow reference.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomOf } from '../../test/bpf/random.ts';
import { randomPacket, randomRule, randomSets, resolved } from '../../test/random-rules.ts';
import { referenceMatches } from '../../test/reference-rules.ts';
import type { RuleConfig, SetConfig } from '../model/config.ts';
import type { ExplainedPacket } from '../model/explanation.ts';
import { findRules } from './rules.ts';

const seed = Number(process.env.RULES_SEED ?? 1);

const rule = (given: Partial<RuleConfig> = {}): RuleConfig => ({
  ...{ name: 'it', at: 'lvsj.yaml:1', from: [], to: [], protocols: [], sport: [], dport: [] },
  ...{ dscp: [], links: [], nft: '', service: 'web' },
  ...given,
});

const packet = (given: Partial<ExplainedPacket> = {}): ExplainedPacket => ({
  ...{ family: 4, protocol: 6, client: '10.0.0.5', clientPort: 40000, server: '203.0.113.9' },
  ...{ serverPort: 443, link: 'eth0', dscp: 0 },
  ...given,
});

const sets: SetConfig[] = [
  { name: 'cdn', prefixes: ['203.0.113.0/28', '2001:db8::/32'], domains: [] },
  { name: 'named', prefixes: [], domains: ['www.example'] },
];

/** Names of the rules that may decide; '-' at the end: none does in any case. */
function namesOf(rules: RuleConfig[], asked = packet()): string[] {
  const readDomains = (set: string, family: 4 | 6) =>
    set === 'named' && family === 4 ? ['203.0.113.9'] : [];
  const found = findRules({ packet: asked, rules, sets, readDomains });
  return found.map((one) => one?.name ?? '-');
}

const matches = (given: Partial<RuleConfig>, asked?: ExplainedPacket): boolean =>
  namesOf([rule(given)], asked)[0] === 'it';

describe('a rule matches', () => {
  for (const [what, given] of [
    ['everything, if it restricts nothing', {}],
    ['a prefix', { from: ['192.0.2.0/24', '10.0.0.0/24'] }],
    ['a set', { to: ['@cdn'] }],
    ['what DNS put into a set', { to: ['@named'] }],
    ['an end of a range of ports', { dport: [[400, 443]] }],
    ['a protocol', { protocols: [17, 6] }],
    ['a DSCP', { dscp: [46, 0] }],
    ['a link', { links: ['eth0'] }],
    ['links by their beginning', { links: ['eth*'] }],
    ['all of it together', { from: ['10.0.0.5'], to: ['@cdn'], sport: [[40000, 40000]] }],
  ] as [string, Partial<RuleConfig>][])
    test(what, () => assert.ok(matches(given)));
});

describe('a rule does not match', () => {
  for (const [what, given] of [
    ['another prefix', { from: ['10.0.1.0/24'] }],
    ['a prefix of the other family', { to: ['::/0'] }],
    ['a set that is not there', { to: ['@other'] }],
    ['a port beside the range', { dport: [[444, 500]] }],
    ['another protocol', { protocols: [17] }],
    ['another DSCP', { dscp: [46] }],
    ['another link', { links: ['eth', 'eth01'] }],
    ['if one of two sides is another', { from: ['10.0.0.5'], to: ['10.0.0.5'] }],
  ] as [string, Partial<RuleConfig>][])
    test(what, () => assert.ok(!matches(given)));

  test('a packet without ports, if it asks for ports', () => {
    const ping = packet({ protocol: 1, clientPort: 443, serverPort: 443 });
    assert.ok(!matches({ dport: [[0, 65535]] }, ping));
  });
});

describe('of several rules', () => {
  test('the first that matches decides', () => {
    const rules = [
      rule({ name: 'udp', protocols: [17] }),
      rule({ name: 'tcp', protocols: [6] }),
      rule({ name: 'all' }),
    ];
    assert.deepEqual(namesOf(rules), ['tcp']);
  });

  test('one with nft may decide, and then what follows', () => {
    const rules = [
      rule({ name: 'a', nft: 'meta length < 100' }),
      rule({ name: 'b', nft: 'meta length < 200', protocols: [17] }),
      rule({ name: 'c', nft: 'meta length < 300' }),
      rule({ name: 'd' }),
      rule({ name: 'e', nft: 'meta length < 400' }),
    ];
    assert.deepEqual(namesOf(rules), ['a', 'c', 'd']);
    assert.deepEqual(namesOf(rules.slice(0, 3)), ['a', 'c', '-']);
  });

  test('none may match', () => assert.deepEqual(namesOf([rule({ links: ['eth9'] })]), ['-']));
});

test(`random rules find what a slow reference finds (seed ${seed})`, () => {
  const random = randomOf(seed);
  for (let round = 0; round < 100; round++) {
    const rules = Array.from({ length: 12 }, (_, i) => randomRule(random, i, ['web', 'main']));
    for (let i = 0; i < 20; i++) {
      const asked = randomPacket(random, random(3000));
      const want = rules.filter((one) => referenceMatches(one, asked, randomSets));
      const decides = want.findIndex(({ nft }) => nft === '');
      const readDomains = (_: string, family: 4 | 6) => resolved[family];
      assert.deepEqual(
        findRules({ packet: asked, rules, sets: randomSets, readDomains }),
        decides < 0 ? [...want, undefined] : want.slice(0, decides + 1),
        JSON.stringify(asked),
      );
    }
  }
});
