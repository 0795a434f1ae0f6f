// lvsj_router, which sees of the router's own connections what its sockets send and nothing that they receive.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { interfaceIndex } from '../../src/kernel/libbpf.ts';
import { Program } from '../../src/kernel/program.ts';
import { readGatewayStates } from '../../src/kernel/read-state.ts';
import { tcQuery } from '../../src/kernel/tc.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow } from './flow.ts';
import type { Packet } from './packet.ts';

const bed = openBed();
const router = Program.byId(tcQuery(interfaceIndex('lvsj0p'), 'ingress') as number);
after(() => {
  router.close();
  bed.close();
});
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

/** The gateway of a packet that comes in on lvsj0p. */
const comeIn = (packet: Packet): string => bed.gatewayOf(router.run(packet.bytes).mark);

for (const client of [client4, client6]) {
  const family = client === client6 ? 6 : 4;
  const gateway = gatewayAddress(1, family);
  const open = (): Flow => {
    bed.setService({ family, gateways: [[1]] });
    const flow = new Flow({ client });
    assert.equal(bed.direct(flow.up()), gateway);
    return flow;
  };

  describe(`a connection of the router's own: ${client}`, () => {
    test('is established by what its socket acknowledges, and tells how far its gateway is', () => {
      const flow = open();
      const rttUs = () =>
        readGatewayStates(bed.director, undefined).find(({ address }) => address === gateway)
          ?.rttUs;
      assert.equal(rttUs(), null);
      assert.equal(comeIn(flow.up('A')), gateway);
      assert.equal(bed.stateOf(flow), 'ESTABLISHED');
      assert.ok(Number(rttUs()) > 0);
      assert.equal(bed.counts(1, family), '1/0');
    });

    test('waits for an answer while its socket repeats the SYN', () => {
      const flow = open();
      assert.equal(comeIn(flow.up()), gateway);
      assert.equal(bed.stateOf(flow), 'SYN_RECV');
    });

    test('is over with a FIN, and a SYN from its port begins another', () => {
      const flow = open();
      for (const flags of ['A', 'FA', 'A']) assert.equal(comeIn(flow.up(flags)), gateway);
      assert.equal(bed.counts(1, family), '0/1');
      assert.equal(comeIn(flow.up()), '-');
      assert.equal(bed.stateOf(flow), undefined);
    });

    test('is one that the LAN has by no such sign', () => {
      const flow = open();
      bed.run('ingress', flow.up('A'));
      bed.run('ingress', flow.up('FA'));
      bed.run('ingress', flow.up());
      assert.equal(bed.stateOf(flow), 'SYN_RECV');
    });
  });
}
