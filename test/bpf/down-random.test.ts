// Gateways that go down and come up while packets come, as chance wants it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import * as abi from '../../src/kernel/abi.gen.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';
import { type Bed, gatewayAddress, openBed } from './bed.ts';
import { idOf, passOn, setOnDown, takeUp } from './down.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';

const bed: Bed = openBed();
after(() => bed.close());

type Step =
  | { do: 'packet'; port: number; flags: string; protocol: 'tcp' | 'udp'; up: boolean }
  | { do: 'health'; gateway: number; down: boolean }
  | { do: 'onDown'; action: 'KEEP' | 'RESET' | 'RESCHEDULE' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('packet' as const),
      port: fc.integer({ min: 4000, max: 4003 }),
      flags: fc.constantFrom('S', 'A', 'A', 'FA', 'R', 'SA'),
      protocol: fc.constantFrom('tcp', 'udp'),
      up: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('health' as const),
      gateway: fc.integer({ min: 1, max: 3 }),
      down: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('onDown' as const),
      action: fc.constantFrom('KEEP', 'RESET', 'RESCHEDULE'),
    }),
  },
);

function take(step: Step): void {
  if (step.do === 'onDown') setOnDown(bed, 1, step.action);
  if (step.do === 'health') setDown(bed.director, [idOf(bed, step.gateway)], step.down);
  if (step.do !== 'packet') return;
  const flow = new Flow({ port: step.port, protocol: step.protocol });
  if (step.up) passOn(bed, flow, step.flags);
  else bed.run('egress', flow.down(step.flags));
}

/** No connection of a service that does not keep them meets a gateway that is down, if another is up. */
function assertAlive(): void {
  const up = [1, 2, 3].filter((gateway) => {
    const { flags } = bed.director.maps.gateways.get(idOf(bed, gateway))!;
    return (flags & abi.gatewayFlag.GATEWAY_DOWN) === 0;
  });
  if (up.length === 0) return;
  setOnDown(bed, 1, 'RESET');
  for (let port = 4000; port <= 4003; port++) {
    const outcome = passOn(bed, new Flow({ port, protocol: 'udp' }));
    assert.ok(
      up.some((gateway) => outcome.endsWith(gatewayAddress(gateway))),
      outcome,
    );
  }
}

test('whatever packets come while gateways go and come, counters equal the table', () => {
  for (const persistence of [0, 60])
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        bed.renewService({ scheduler: 'rr', persistence, gateways: [[1], [2], [3]] });
        steps.forEach(take);
        assertAlive();
        assertExact(bed);
        takeUp(bed);
        bed.forget();
      }),
      { numRuns: 20 },
    );
});
