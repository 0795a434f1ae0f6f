// lvsj status as people see it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayState } from '../../test/states.ts';
import type { StatusState } from '../model/state.ts';
import { formatStatus } from './status.ts';

process.env.TZ = 'UTC';

const bare: StatusState = {
  connections: { now: 389, limit: 1_048_576 },
  markMask: '0xff000000',
  ...{ config: null, daemon: null, fastpath: 'off' as const },
  gateways: [gatewayState({ name: '' })],
  verdicts: { director: { new: 400, no_gateway: 2 }, ingress: {} },
};

test('a director that only lvsj ipvsadm knows', () => {
  assert.equal(
    formatStatus(bare).join('\n'),
    `connections    389 of 1048576
mark mask      0xff000000
configuration  none; only lvsj ipvsadm was used
daemon         none answers

gateway  address    link  state
      1  192.0.2.1  eth1  enabled

director      packets
  new             400
  no_gateway        2

ingress  packets`,
  );
});

test('a director with a configuration and a daemon', () => {
  const status: StatusState = {
    ...bare,
    config: {
      ...{ file: '/etc/lvsj/lvsj.yaml', generation: 7, appliedAt: '2026-11-25T03:40:12.345Z' },
      confirmBy: '2026-11-25T03:45:12.345Z',
    },
    daemon: {
      ...{ pid: 812, error: 'lvsj.yaml:3:1: gateways.fiber: no such key', needyRules: [] },
    },
    gateways: [
      gatewayState({ admin: 'drained' }),
      gatewayState({
        ...{ name: 'lte', id: 0, address: '', link: 'eth3', present: false },
        unavailable: 'no default route on eth3',
      }),
    ],
    verdicts: {},
  };
  assert.equal(
    formatStatus(status).join('\n'),
    `connections    389 of 1048576
mark mask      0xff000000
configuration  /etc/lvsj/lvsj.yaml, generation 7, since 2026-11-25 03:40:12
               the one before it comes back at 2026-11-25 03:45:12 unless you run lvsj confirm
daemon         process 812
               the newest file is refused: lvsj.yaml:3:1: gateways.fiber: no such key

gateway  name   address    link  state
      1  fiber  192.0.2.1  eth1  drained
      -  lte    -          eth3  no default route on eth3`,
  );
});

test('the fast path, if a service has it', () => {
  const rule = {
    ...{ table: 'inet filter', chain: 'forward', rule: 'nft rule inet filter forward handle 7' },
    why: 'quota',
  };
  const linesOf = (fastpath: StatusState['fastpath'], needyRules = [rule]): string[] =>
    formatStatus({ ...bare, fastpath, daemon: { pid: 1, error: '', needyRules } }).slice(4, -9);
  assert.deepEqual(linesOf('off'), []);
  assert.deepEqual(linesOf('on', []), ['fast path      on']);
  assert.deepEqual(linesOf('unwatched', []), [
    'fast path      not taken: no lvsj run watches over it',
  ]);
  assert.deepEqual(linesOf('careful', []), [
    'fast path      on, but not for services that do not insist, until the rules of others are read',
  ]);
  assert.deepEqual(linesOf('careful', [rule, rule, rule, rule, rule]), [
    'fast path      on, but not for services that do not insist, for others must see each packet:',
    '               nft rule inet filter forward handle 7 (quota)',
    '               nft rule inet filter forward handle 7 (quota)',
    '               nft rule inet filter forward handle 7 (quota)',
    '               and 2 more',
  ]);
});
