// Every way out of every program: packet in -> verdict, mark, return code.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { type Bed, type Hook, openBed, type Verdict, verdictNames } from './bed.ts';
import { assertExact } from './exact.ts';
import { services, verdictCases } from './verdict-cases.ts';

const BPF_LWT_REROUTE = 128;
const TC_ACT_UNSPEC = -1;

/** Where a verdict can't come about, and why. */
const impossible: Record<Hook, Partial<Record<Verdict, string>>> = {
  director: {
    UNKNOWN: 'what is not known is scheduled',
    TAGGED: 'a tag is off before a packet is routed',
  },
  ingress: notScheduling('TEMPLATE'),
  egress: {
    ...notScheduling('GATEWAY_GONE'),
    TAGGED: 'the link below a VLAN carries no key of ours: it is not looked at',
  },
};

function notScheduling(...more: Verdict[]): Partial<Record<Verdict, string>> {
  const scheduling: Verdict[] = ['NEW', 'TEMPLATE', 'NO_SERVICE', 'NO_GATEWAY', 'MIDSTREAM'];
  const rest: Verdict[] = ['TTL', 'LOOP', 'TABLE_FULL', 'RACE'];
  return Object.fromEntries(
    [...scheduling, ...rest, ...more].map((verdict) => [verdict, 'only the director schedules']),
  );
}

const bed: Bed = openBed();
for (const service of services) bed.setService(service);
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
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
        assert.equal(outcome.retval, hook === 'director' ? BPF_LWT_REROUTE : TC_ACT_UNSPEC);
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

const defaultGateway = (hook: Hook): string => (hook === 'director' ? 'none' : '-');

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
      verdictNames.filter((name) => !reached.has(name)),
      [],
    );
  });
});
