// Which of conntrack's entries can't live on.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LinkFacts } from '../model/environment.ts';
import type { GatewayPolicy } from '../model/objects.ts';
import { planDrops, planLostDrops, planPassedOnDrops, sourcesOf } from './conntrack-stale.ts';

const mask = 0xff000000;
const bits = { mask, shift: 24 };
const ours = 'cb007102'; // 203.0.113.2
const old = 'cb007103';

/** A netlink attribute, in hexadecimal. */
function attribute(type: number, value: string): string {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(4 + value.length / 2, 0);
  header.writeUInt16LE(type, 2);
  return header.toString('hex') + value + '00'.repeat((4 - ((value.length / 2) % 4)) % 4);
}

const sourceNat = '00000010';
const bothNat = '00000030';
const tuple = (destination: string, protocol: string): string =>
  attribute(1, attribute(1, 'c633640a') + attribute(2, destination)) +
  attribute(2, attribute(1, protocol));

interface Entry {
  to?: string;
  mark?: string;
  status?: string;
  protocol?: string;
}

/** An entry as the kernel dumps it, whose answers go `to` there. */
function entry({
  to = old,
  mark = '02000000',
  status = sourceNat,
  protocol = '11',
}: Entry): Buffer {
  const body = [
    attribute(1, tuple('c6336435', protocol)),
    attribute(2, tuple(to, protocol)),
    attribute(3, status),
    attribute(8, mark),
  ].join('');
  const header = Buffer.alloc(20);
  header.writeUInt32LE(20 + body.length / 2, 0);
  header.writeUInt16LE(0x100, 4);
  header.writeUInt8(2, 16);
  return Buffer.concat([header, Buffer.from(body, 'hex')]);
}

const address = (text: string, deprecated = false) => ({
  family: 4 as const,
  address: text,
  length: 24,
  global: true,
  ...(deprecated ? { deprecated } : {}),
});
const link = (name: string, addresses: LinkFacts['addresses']): LinkFacts => ({
  ...{ name, ifindex: 2, loopback: false, up: true, ethernet: true, carrier: true, mtu: 1500 },
  addresses,
});
const policy = (kind: 'masquerade' | 'none'): GatewayPolicy => ({
  ...{ id: 2, family: 4, link: 'eth2', snat: { kind }, onlink: false },
});

const sources = sourcesOf([policy('masquerade')], [link('eth2', [address('203.0.113.2')])], bits);
const drops = (given: Entry, from = sources): number => planDrops(entry(given), from, mask).length;

describe('of the connections of a gateway that masquerades', () => {
  test('those with an address that its link has not go, by their tuple', () => {
    const part = Buffer.concat([entry({}), entry({ to: ours })]);
    const message = planDrops(part, sources, mask).toString('hex');
    const wanted = attribute(1, tuple('c6336435', '11'));
    assert.equal(message.slice(40), wanted);
    assert.equal(message.slice(8, 16), '02010100', 'IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST');
  });

  test('those of other gateways stay, and those that nobody changed', () => {
    assert.equal(drops({ mark: '03000000' }), 0);
    assert.equal(drops({ mark: '00000000' }), 0);
    assert.equal(drops({ status: '00000000' }), 0);
  });

  test('those from outside stay: their destination was changed', () => {
    assert.equal(drops({ status: bothNat }), 0);
  });

  test('a withdrawn address ends what can go on under another, and nothing else', () => {
    const withdrawn = [address('203.0.113.3', true), address('203.0.113.2')];
    const now = sourcesOf([policy('masquerade')], [link('eth2', withdrawn)], bits);
    assert.ok(drops({ protocol: '11' }, now) > 0, 'UDP');
    assert.equal(drops({ protocol: '06' }, now), 0, 'TCP');
    assert.equal(drops({ to: ours }, now), 0);
  });
});

test('a gateway that masquerades not, or whose link has no address now, ends nothing', () => {
  assert.equal(sourcesOf([policy('none')], [link('eth2', [address('203.0.113.2')])], bits).size, 0);
  assert.equal(sourcesOf([policy('masquerade')], [link('eth2', [])], bits).size, 0);
  assert.equal(sourcesOf([policy('masquerade')], [], bits).size, 0);
});

test('of what began without our table, that goes which has no gateway, no other address and no answer', () => {
  const lost = (given: Entry) => planLostDrops(entry(given), mask).length > 0;
  assert.ok(lost({ mark: '00000001', status: '00000008' }));
  assert.ok(!lost({ mark: '00000001', status: '0000000a' }), 'answered');
  assert.ok(!lost({ mark: '02000001', status: '00000008' }), 'has a gateway');
  assert.ok(!lost({ mark: '00000001', status: sourceNat }), 'has another address');
});

test('of what services passed on, that goes which has no answer', () => {
  const goes = (given: Entry) => planPassedOnDrops(entry(given), bits).length > 0;
  assert.ok(goes({ mark: 'ff000001', status: '00000008' }));
  assert.ok(goes({ mark: 'ff000001', status: sourceNat }), "with an address of the admin's");
  assert.ok(!goes({ mark: 'ff000001', status: '0000000a' }), 'answered');
  assert.ok(!goes({ mark: '02000001', status: '00000008' }), 'has a gateway');
  assert.ok(!goes({ mark: '00000001', status: '00000008' }), 'was no business of a service');
});
