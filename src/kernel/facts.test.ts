// Facts are read when they are asked for, once, and one that can't be read hurts only who asks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lazily } from './facts.ts';
import { toRouteFacts, toRuleFact } from './facts-network.ts';

test('a fact is read once, and only if somebody asks', () => {
  const read: string[] = [];
  const facts = lazily<{ a: number; b: number }>({
    a: () => read.push('a'),
    b: () => read.push('b'),
  });
  assert.deepEqual([facts.b, facts.b, read], [1, 1, ['b']]);
});

test('a fact that can’t be read fails each time, and is tried once', () => {
  let tries = 0;
  const facts = lazily<{ a: number }>({
    a: () => {
      tries++;
      throw new Error('no');
    },
  });
  assert.throws(() => facts.a, /no/);
  assert.throws(() => facts.a, /no/);
  assert.equal(tries, 1);
});

test('a policy rule of ip -json is read with all its conditions', () => {
  const rule = {
    ...{ priority: 101, not: null, src: '10.0.0.0', srclen: 24, fwmark: '0x1', fwmask: '0xff' },
    ...{ iif: 'd0', ipproto: 'tcp', dport: 80, table: 'main', suppress_prefixlen: 0 },
    ...{ uid_start: 0, uid_end: 100 },
  };
  assert.deepEqual(toRuleFact(4, rule), {
    ...{ family: 4, priority: 101, not: true, from: '10.0.0.0/24', to: 'all' },
    ...{ fwmark: { value: 1, mask: 255 }, iif: 'd0', oif: '' },
    ...{ rest: 'ipproto tcp dport 80 uidrange 0-100' },
    ...{ action: 'lookup main', table: 'main', suppress: 0 },
  });
  const { action, table, fwmark } = toRuleFact(6, { priority: 9, src: 'all', action: 'prohibit' });
  assert.deepEqual([action, table, fwmark], ['prohibit', '', null]);
  assert.equal(toRuleFact(4, { priority: 9, src: 'all', goto: 32766 }).action, 'goto 32766');
});

test('a route of ip -json is one fact for each of its next hops', () => {
  const nexthops = [
    { gateway: 'fe80::1', dev: 'd0' },
    { gateway: 'fe80::2', dev: 'd1' },
  ];
  const facts = toRouteFacts(6, { dst: 'default', protocol: 'ra', metric: 1024, nexthops });
  assert.deepEqual(
    facts.map(({ to, via, link }) => [to, via, link]),
    [
      ['::/0', 'fe80::1', 'd0'],
      ['::/0', 'fe80::2', 'd1'],
    ],
  );
  const [host] = toRouteFacts(4, { type: 'unreachable', dst: '9.9.9.9', table: '77' });
  assert.deepEqual([host?.to, host?.type, host?.table], ['9.9.9.9/32', 'unreachable', '77']);
});
