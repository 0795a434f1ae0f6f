// Rules that can never match.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import type { Problem } from '../model/problem.ts';
import { parseConfig } from './parse.ts';
import { Earlier, matchOf, regionsOf } from './region.ts';

interface Written {
  from?: string[];
  to?: string[];
  proto?: string[];
  dport?: string[];
  link?: string[];
  nft?: string;
}

const sets = {
  open: { domains: ['example.com'], prefixes: ['10.0.0.0/31'] },
  some: { prefixes: ['10.0.0.0/31', '10.0.0.3', '2001:db8::/127'] },
};

const problemsOf = (rules: readonly Written[]): Problem[] => {
  const text = JSON.stringify(
    { rules: rules.map((rule) => ({ ...rule, service: 'main' })), sets },
    null,
    1,
  );
  const parsed = parseConfig(text, 'lvsj.yaml', () => '');
  return 'problems' in parsed ? parsed.problems : [];
};

/** Numbers of the rules that can never match, from 0. */
const tooLate = (...rules: Written[]): number[] =>
  problemsOf(rules)
    .filter(({ reason }) => reason.startsWith('can never match: the rule'))
    .map(({ key }) => Number(key.split('.')[1]));

describe('a rule never matches if an earlier one', () => {
  test('takes everything', () => assert.deepEqual(tooLate({}, { dport: ['80'] }, {}), [1, 2]));

  test('takes wider prefixes, ports and protocols', () => {
    const wide = { from: ['10.0.0.0/8', '2001:db8::/32'], dport: ['1-1023'] };
    assert.deepEqual(tooLate(wide, { from: ['10.1.0.0/16'], proto: ['tcp'], dport: ['80'] }), [1]);
    assert.deepEqual(tooLate(wide, { from: ['10.1.0.0/16'], proto: ['tcp'], dport: ['1024'] }), []);
    assert.deepEqual(tooLate(wide, { from: ['10.1.0.0/16'], proto: ['icmp'] }), []);
    assert.deepEqual(tooLate(wide, { from: ['11.0.0.0/16'], proto: ['tcp'], dport: ['80'] }), []);
  });

  test('takes both halves of its prefix', () => {
    const halves = { from: ['10.0.0.0/25', '10.0.0.128/25'] };
    assert.deepEqual(tooLate(halves, { from: ['10.0.0.0/24'] }), [1]);
  });

  test('names the same set, or all that is in it', () => {
    assert.deepEqual(tooLate({ to: ['@some'] }, { to: ['@some'], dport: ['1'] }), [1]);
    assert.deepEqual(tooLate({ to: ['10.0.0.0/30', '2001:db8::/64'] }, { to: ['@some'] }), [1]);
    assert.deepEqual(tooLate({ to: ['10.0.0.0/30'] }, { to: ['@some'] }), []);
    assert.deepEqual(tooLate({ to: ['@some'] }, { to: ['10.0.0.1'] }), [1]);
  });

  test('has its set of domains: what else is in that is not known', () => {
    assert.deepEqual(tooLate({ to: ['@open'] }, { to: ['@open'] }), [1]);
    assert.deepEqual(tooLate({ to: ['10.0.0.0/8'] }, { to: ['@open'] }), []);
    assert.deepEqual(tooLate({ to: ['@open'] }, { to: ['10.0.0.1'] }), [1]);
    assert.deepEqual(tooLate({}, { to: ['@open'] }), [1]);
  });

  test('has the same nftables match, or none', () => {
    assert.deepEqual(tooLate({ nft: 'ct state new' }, { dport: ['1'] }), []);
    assert.deepEqual(tooLate({ nft: 'ct state new' }, { dport: ['1'], nft: 'ct state new' }), [1]);
    assert.deepEqual(tooLate({ dport: ['1'] }, { dport: ['1'], nft: 'ct state new' }), [1]);
  });

  test('is for the same links, or for all', () => {
    assert.deepEqual(tooLate({ link: ['a', 'b'] }, { link: ['a'] }), [1]);
    assert.deepEqual(tooLate({ link: ['a'] }, {}), []);
  });

  test('takes its only family', () => {
    assert.deepEqual(tooLate({ to: ['0.0.0.0/0'] }, { from: ['10.0.0.0/8'] }, {}), [1]);
    assert.deepEqual(tooLate({ to: ['0.0.0.0/0'] }, { proto: ['icmp'] }), [1]);
  });
});

interface Packet {
  from: string;
  proto: string;
  dport: number;
}

const addresses = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::', '2001:db8::2'];
const packets: Packet[] = addresses.flatMap((from) =>
  ['tcp', 'udp', 'icmp'].flatMap((proto) => [1, 2, 3].map((dport) => ({ from, proto, dport }))),
);

const isIn = (address: string, prefix: string): boolean => {
  if (prefix === '@some') return sets.some.prefixes.some((each) => isIn(address, each));
  const [network, bits] = ipaddr.parseCIDR(prefix.includes('/') ? prefix : `${prefix}/32`);
  const own = ipaddr.parse(address);
  return own.kind() === network.kind() && own.match([network, bits]);
};

function matches({ from, proto, dport }: Written, packet: Packet): boolean {
  const ports = dport?.map((range) => range.split('-').map(Number)) ?? [];
  return (
    !(proto?.includes(packet.proto) === false) &&
    (!from || from.some((prefix) => isIn(packet.from, prefix))) &&
    (ports.length === 0 ||
      (packet.proto !== 'icmp' &&
        ports.some(([a = 0, b = a]) => packet.dport >= a && packet.dport <= b)))
  );
}

const someOf = (words: string[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
  });
const anyRule = fc.record({
  from: someOf([
    ...['10.0.0.0/30', '10.0.0.0/31', '10.0.0.2/31', '10.0.0.1/32', '0.0.0.0/0', '::/0', '@some'],
    ...['2001:db8::/127', '2001:db8::/126'],
  ]),
  proto: someOf(['tcp', 'udp']),
  dport: someOf(['1', '2', '1-2', '2-3', '3']),
});

test('of random rules those that are called unreachable see no packet, and each is shadowed by one earlier rule', () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 8 }), (rules) => {
      for (const late of tooLate(...rules)) {
        const own = packets.filter((packet) => matches(rules[late] ?? {}, packet));
        const shadows = rules
          .slice(0, late)
          .some((rule) => own.every((packet) => matches(rule, packet)));
        assert.ok(shadows, `rule ${late} sees packets`);
      }
    }),
  );
});

test('of thousands of rules nearly all are told apart without a look at their lists', () => {
  const regions = regionsOf([]);
  const none = {
    name: '',
    at: '',
    to: [],
    sport: [],
    dscp: [],
    links: [],
    nft: '',
    service: 'main',
  };
  const earlier = new Earlier<number>(2000);
  let looks = 0;
  for (let i = 0; i < 2000; i++) {
    const from = [`10.${i >> 8}.${i & 255}.0/24`];
    const match = matchOf({ ...none, from, protocols: [6], dport: [[i, i]] }, regions);
    assert.equal(earlier.find(match), undefined);
    const { 4: part } = match.byFamily;
    assert.ok(part);
    const { numbers } = part;
    Object.defineProperty(part, 'numbers', { get: () => ++looks && numbers });
    earlier.add(match, i);
  }
  assert.equal(looks, 0);
});
