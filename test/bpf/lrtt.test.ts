// lrtt: what of a connection tells how far a gateway is, and what is chosen by it. load.test.ts has
// the averages.

import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import type * as abi from '../../src/kernel/abi.gen.ts';
import { readGatewayStates } from '../../src/kernel/read-state.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client6, Flow, type FlowOptions, flows } from './flow.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const loads = () => bed.director.maps.gatewayLoads;
const idOf = (number: number, family: 4 | 6 = 4): number => {
  const address = gatewayAddress(number, family);
  return readGatewayStates(bed.director, undefined).find((gateway) => gateway.address === address)!
    .id;
};
const loadOf = (number: number, family: 4 | 6 = 4): abi.GatewayLoad =>
  loads().get(idOf(number, family))!;
/** Puts a gateway's load in the place of what it was. */
const setLoad = (number: number, change: Partial<abi.GatewayLoad>, family: 4 | 6 = 4): void =>
  loads().set(idOf(number, family), { ...loadOf(number, family), ...change });
const forgetLoad = (): void => {
  for (const family of [4, 6] as const)
    for (const number of [1, 2])
      setLoad(number, { rttUs: 0, asked: 0, silent: 0, fresh: 0 }, family);
};
beforeEach(forgetLoad);

const open = (flow: Flow): string => bed.direct(flow.up());

/** Spins: what is measured must take some time, whatever else the machine does. */
function spend(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the time to an answer', () => {
  /** Opens a connection; what was measured, and the bounds of what it can be. */
  function measure(options: FlowOptions, packets: (flow: Flow) => void) {
    const family = options.client === client6 ? 6 : 4;
    bed.setService({ family, gateways: [[1]] });
    const flow = new Flow(options);
    const start = performance.now();
    open(flow);
    const leastMs = 3;
    spend(leastMs);
    packets(flow);
    const most = (performance.now() - start) * 1000;
    return { us: loadOf(1, family).rttUs, least: leastMs * 1000, most };
  }
  const answer = (flow: Flow): void => void bed.run('egress', flow.down('SA'));

  for (const client of [undefined, client6])
    test(`is that from SYN to SYN-ACK, of ${client ?? 'IPv4'}`, () => {
      const { us, least, most } = measure(client ? { client } : {}, answer);
      assert.ok(us >= least && us <= most, `${least} <= ${us} <= ${most}`);
      assert.equal(
        readGatewayStates(bed.director, undefined).find(({ rttUs }) => rttUs !== null)?.rttUs,
        us,
      );
    });

  test('is not measured by an ACK that is no SYN-ACK', () => {
    const { us } = measure({}, (flow) => bed.run('egress', flow.down('A')));
    assert.equal(us, 0);
  });

  for (const protocol of ['udp', 'icmp'] as const)
    test(`is not measured by ${protocol}`, () => {
      const { us } = measure({ protocol }, (flow) => bed.run('egress', flow.down()));
      assert.equal(us, 0);
      assert.equal(loadOf(1).asked, 0);
    });
});

test('SYNs without an answer are forgotten with the first that has one', () => {
  bed.setService({ gateways: [[1]] });
  const all = flows(8);
  for (const flow of all) open(flow);
  assert.equal(loadOf(1).asked, 8);
  bed.run('egress', all[0]!.down('SA'));
  assert.deepEqual([loadOf(1).asked, loadOf(1).silent], [0, 0]);
});

describe('lrtt', () => {
  const taken = (count: number): number[] => {
    const all = flows(count).map(open);
    return [1, 2].map((number) => all.filter((each) => each === gatewayAddress(number)).length);
  };
  const serve = (): void => bed.renewService({ scheduler: 'lrtt', gateways: [[1], [2]] });

  test('takes the nearer gateway, and the other once in sixteen', () => {
    setLoad(1, { rttUs: 40_000 });
    setLoad(2, { rttUs: 20_000 });
    serve();
    assert.deepEqual(taken(64), [4, 60]);
  });

  test('goes over when another is nearer by a fifth and a millisecond, not before', () => {
    setLoad(1, { rttUs: 40_000 });
    setLoad(2, { rttUs: 20_000 });
    serve();
    for (const [rttUs, want] of [
      [40_000, [0, 1]],
      [16_000, [0, 1]],
      [15_900, [1, 0]],
      // It is kept now.
      [18_000, [1, 0]],
    ] as const) {
      setLoad(1, { rttUs });
      assert.deepEqual(taken(1), want, `${rttUs} us`);
      bed.forget();
    }
  });

  test('takes all in turn as long as nothing is known', () => {
    serve();
    assert.deepEqual(taken(10), [5, 5]);
  });
});
