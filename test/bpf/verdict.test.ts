// Every way out of every program: packet in -> verdict, mark, return code.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import * as abi from '../../src/kernel/abi.gen.ts';
import { type Bed, gatewayAddress, type Hook, openBed, type Verdict, verdictNames } from './bed.ts';
import { takeUp } from './down.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import { services } from './verdict-bed.ts';
import { verdictCases } from './verdict-cases.ts';

const BPF_DROP = 2;
const BPF_LWT_REROUTE = 128;
const TC_ACT_UNSPEC = -1;

const needsStack = 'conntrack must know the connection: see test/netns/fastpath.test.ts';
const notFast = { FAST: needsStack, LEARNT: needsStack } as const;

/** Where a verdict can't come about, and why. */
const impossible: Record<Hook, Partial<Record<Verdict, string>>> = {
  director: {
    UNKNOWN: 'what is not known is scheduled',
    TAGGED: 'a tag is off before a packet is routed',
    ...notFast,
  },
  ingress: { ...notScheduling('TEMPLATE'), ...notFast },
  egress: {
    ...notScheduling('GATEWAY_GONE', 'MOVED'),
    ...notFast,
    TAGGED: 'the link below a VLAN carries no key of ours: it is not looked at',
  },
};

function notScheduling(...more: Verdict[]): Partial<Record<Verdict, string>> {
  const scheduling: Verdict[] = ['NEW', 'TEMPLATE', 'NO_SERVICE', 'NO_GATEWAY', 'MIDSTREAM'];
  const rest: Verdict[] = ['TTL', 'LOOP', 'TABLE_FULL', 'RACE', 'ONE_PACKET'];
  const resorts: Verdict[] = ['UNREACHABLE', 'DROPPED'];
  return Object.fromEntries(
    [...scheduling, ...rest, ...resorts, ...more].map((verdict) => [
      verdict,
      'only the director schedules',
    ]),
  );
}

const bed: Bed = openBed();
for (const service of services) bed.setService(service);
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    takeUp(bed);
    bed.forget();
  }
});

for (const hook of ['director', 'ingress', 'egress'] as const) {
  describe(`${hook}:`, () => {
    for (const given of verdictCases.filter((each) => each.hook === hook)) {
      test(`${given.verdict}: ${given.name}`, () => {
        given.before?.(bed);
        if (given.byWire) {
          assert.equal(bed.wire(hook as 'ingress', given.packet), given.verdict);
          return;
        }
        const outcome = bed.run(hook, given.packet, given.mark);
        assert.equal(outcome.verdict, given.verdict);
        assert.equal(outcome.retval, retvalOf(hook, given.verdict));
        assert.equal(
          outcome.mark & 0xff_ffff,
          given.mark & 0xff_ffff,
          'the admin part of the mark',
        );
        assert.equal(bed.gatewayOf(outcome.mark), given.gateway ?? defaultGateway(hook));
      });
    }
  });
}

function retvalOf(hook: Hook, verdict: Verdict): number {
  if (hook !== 'director') return TC_ACT_UNSPEC;
  return verdict === 'DROPPED' ? BPF_DROP : BPF_LWT_REROUTE;
}

const defaultGateway = (hook: Hook): string => (hook === 'director' ? 'none' : '-');

describe('gateway bits elsewhere in the mark', () => {
  for (const [markMask, fwmark] of [
    [0xff, 0x12_0000],
    [0xff00, 0x12_0000],
    [0xff_0000, 0x1200],
  ] as const) {
    test(`0x${markMask.toString(16)}: the others stay as they are`, () => {
      bed.setService({ fwmark, gateways: [[1]] });
      bed.setSettings({ markMask, markShift: 31 - Math.clz32(markMask & -markMask) });
      const flow = new Flow();
      const first = bed.run('director', flow.up(), fwmark);
      assert.deepEqual([first.verdict, bed.gatewayOf(first.mark)], ['NEW', gatewayAddress(1)]);
      assert.equal(first.mark & ~markMask, fwmark);
      assert.equal(bed.run('director', flow.up('A'), first.mark).verdict, 'LOOP');
      const known = bed.run('ingress', flow.up('A'), 0x8000_0000);
      assert.equal(bed.gatewayOf(known.mark), gatewayAddress(1));
      assert.equal((known.mark & ~markMask) >>> 0, 0x8000_0000);
    });
  }
});

describe('lvsj_control', () => {
  const run = (): number => bed.director.control.run(Buffer.alloc(64)).retval;
  const { EDIT_CHANGED } = abi.edit;
  const nobody = { fwmark: 77, family: 4, tier: 0 };

  test('does nothing unasked', () => assert.equal(run(), 0));

  test('refuses an edit of a service that is not there, once', () => {
    assert.throws(
      () =>
        bed.director.request({
          kind: abi.requestKind.REQUEST_EDITED,
          edit: EDIT_CHANGED,
          key: nobody,
        }),
      /lvsj_control refused/,
    );
    assert.equal(run(), 0);
  });

  test('starts timers that run already as if they did not', () => {
    for (let n = 0; n < 3; n++) bed.director.request({ kind: abi.requestKind.REQUEST_START });
  });
});

describe('the cases of verdicts', () => {
  for (const hook of ['director', 'ingress', 'egress'] as const) {
    test(`reach every verdict that is possible at ${hook}`, () => {
      const reached = new Set(verdictCases.filter((c) => c.hook === hook).map((c) => c.verdict));
      const missing = verdictNames.filter(
        (name) => !reached.has(name as Verdict) && !(name in impossible[hook]),
      );
      assert.deepEqual(missing, []);
    });
  }

  test('reach every verdict at some hook', () => {
    const reached = new Set<string>(verdictCases.map(({ verdict }) => verdict));
    assert.deepEqual(
      verdictNames.filter((name) => !reached.has(name) && !(name in notFast)),
      [],
    );
  });
});
