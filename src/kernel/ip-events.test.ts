// Lines that iproute2 6.1 printed, and what they say.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type IpEvent, parseEvent } from './ip-events.ts';

const brd = 'brd ff:ff:ff:ff:ff:ff';
const event = (line: string): IpEvent | undefined => parseEvent(line);

describe('a link', () => {
  const at =
    '3: va@vb: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group 0 \\    link/[1] f6:fa:27:7a:5e:c0 ';
  const up = { kind: 'link', link: 'va', ifindex: 3, up: true, carrier: true } as const;

  test('that is up', () =>
    assert.deepEqual(event(`[LINK]${at}${brd}`), { ...up, mtu: 1500, master: '', deleted: false }));

  test('that lost its carrier', () => {
    const line = `[LINK]3: va@vb: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group 0 \\    link/[1] f6:fa:27:7a:5e:c0 ${brd}`;
    const want = { ...up, carrier: false, mtu: 1500, master: '', deleted: false };
    assert.deepEqual(event(line), want);
  });

  test('that an admin took down', () => {
    const line = `[LINK]3: va@vb: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group 0 \\    link/[1] f6:fa:27:7a:5e:c0 ${brd}`;
    const want = { ...up, up: false, carrier: false, mtu: 1500, master: '', deleted: false };
    assert.deepEqual(event(line), want);
  });

  test('that is gone', () => {
    const line = `[LINK]Deleted 3: va@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group 0 \\    link/[1] f6:fa:27:7a:5e:c0 ${brd}`;
    const want = { ...up, up: false, carrier: false, mtu: 1500, master: '', deleted: true };
    assert.deepEqual(event(line), want);
  });

  test('that is part of a bridge', () => {
    const line = `[LINK]2: eth2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9000 qdisc fq_codel master br0 state UP group 0 \\    link/[1] de:47:b8:1e:21:90 ${brd}`;
    assert.deepEqual(event(line), {
      ...up,
      ...{ link: 'eth2', ifindex: 2, mtu: 9000, master: 'br0', deleted: false },
    });
  });

  test('is not gone when it leaves its bridge, which says so itself', () => {
    for (const word of ['', 'Deleted ']) {
      const line = `[LINK]${word}2: eth2: <BROADCAST,MULTICAST> mtu 1500 master br0 state DOWN \\    link/[1] de:47:b8:1e:21:90`;
      assert.equal(event(line), undefined);
    }
  });
});

describe('an address', () => {
  const own = { kind: 'address', link: 'va', deleted: false } as const;

  for (const [line, address, text] of [
    [
      '3: va    inet 192.0.2.2/24 scope 0 va\\       valid_lft forever preferred_lft forever',
      '192.0.2.2',
      'inet 192.0.2.2/24 scope 0 va',
    ],
    [
      '3: va    inet 192.0.2.9 peer 192.0.2.10/32 scope 0 va\\       valid_lft forever preferred_lft forever',
      '192.0.2.9',
      'inet 192.0.2.9 peer 192.0.2.10/32 scope 0 va',
    ],
    [
      '3: va    inet6 2001:db8::2/64 scope 0 tentative dynamic \\       valid_lft 100sec preferred_lft 50sec',
      '2001:db8::2',
      'inet6 2001:db8::2/64 scope 0 tentative dynamic',
    ],
  ] as const) {
    test(`that came: ${address}`, () =>
      assert.deepEqual(event(`[ADDR]${line}`), { ...own, address, text }));
    test(`that went: ${address}`, () =>
      assert.deepEqual(event(`[ADDR]Deleted ${line}`), { ...own, address, text, deleted: true }));
  }
});

describe('a neighbour', () => {
  const own = { kind: 'neighbour', link: 'va', address: '192.0.2.1', deleted: false } as const;

  test('that answers', () =>
    assert.deepEqual(event('[NEIGH]192.0.2.1 dev va lladdr 02:00:00:00:00:01 REACHABLE '), {
      ...own,
      state: 'REACHABLE',
    }));

  test('that does not', () =>
    assert.deepEqual(event('[NEIGH]192.0.2.1 dev va FAILED '), { ...own, state: 'FAILED' }));

  test('that is forgotten', () =>
    assert.deepEqual(event('[NEIGH]Deleted 192.0.2.1 dev va FAILED '), {
      ...own,
      ...{ state: 'FAILED', deleted: true },
    }));

  test('that is a router of IPv6', () =>
    assert.deepEqual(event('[NEIGH]fe80::1 dev va lladdr 02:00:00:00:00:01 router STALE '), {
      ...own,
      ...{ address: 'fe80::1', state: 'STALE' },
    }));

  test('of a bridge has no address, and is no neighbour', () => {
    assert.equal(event('[NEIGH]dev br0 lladdr aa:35:e7:50:9f:04 PERMANENT '), undefined);
    assert.equal(event('[NEIGH]Deleted dev if2 lladdr 02:00:00:00:00:05 NOARP '), undefined);
  });
});

describe('a route or rule', () => {
  for (const line of [
    '[ROUTE]default via 192.0.2.1 dev va ',
    '[ROUTE]Deleted default via fe80::1 dev va metric 1024 linkdown pref medium',
    '[ROUTE]default proto 16 metric 100 \\\tnexthop via 192.0.2.1 dev va weight 1 ',
    '[ROUTE]7 default metric 999 ',
    '[ROUTE]default via 192.0.2.1 dev va table 20101 ',
    '[ROUTE]Deleted 192.0.2.0/24 dev va table 20001 ',
    '[RULE]20101:\tfrom all fwmark 0x1000000/0xff000000 lookup 20101',
    '[RULE]Deleted 20999:\tfrom all nop',
  ])
    test(`may concern us: ${line}`, () => assert.deepEqual(event(line), { kind: 'route' }));

  for (const line of [
    '[ROUTE]10.9.0.0/16 via 192.0.2.1 dev va proto 186 metric 20 ',
    '[ROUTE]2 192.0.2.2 dev va table 255 proto 2 scope 254 src 192.0.2.2 ',
    '[ROUTE]default via 192.0.2.1 dev va table 100 ',
    '[ROUTE]Deleted default via 192.0.2.1 dev va table 21000 ',
    '[RULE]100:\tfrom 10.0.0.0/8 lookup 33',
    '[RULE]Deleted 32766:\tfrom all lookup 254',
  ])
    test(`does not: ${line}`, () => assert.equal(event(line), undefined));
});

test('what nobody asked for is nothing', () => {
  for (const line of ['', '[NSID]nsid 0 (iproute2 netns name: a)', '[LINK]', 'Dump terminated'])
    assert.equal(event(line), undefined);
});
