// Whose turn it is moves with new connections alone. Elsewhere packets that begin nothing take turns, too,
// a score of them a second, and shares are not what their weights say.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { dryRun } from '../../src/kernel/dry-run.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { passOn, setOnDown, takeDown, takeUp } from './down.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import { packet } from './packet.ts';

const bed = openBed({ gateways: 3 });
after(() => bed.close());
afterEach(() => {
  assertExact(bed);
  takeUp(bed);
  bed.forget();
});

const known = new Flow({ port: 3000 });
const refused = new Flow({ port: 3001 });
const nobody = new Flow({ port: 3002 });
const { client, server } = nobody;
const ports = { sport: nobody.port, dport: nobody.serverPort };
const asked = { protocol: 6, client, server, clientPort: 3003, serverPort: 80 };

/** What comes between two new connections, and is none. */
const others: Record<string, () => unknown> = {
  'a packet of a known connection': () => passOn(bed, known, 'A'),
  'a SYN sent again': () => passOn(bed, known, 'S'),
  'a segment of nobody': () => passOn(bed, nobody, 'A'),
  'a packet whose life ends here': () =>
    bed.run('director', packet().ip({ src: client, dst: server, ttl: 1 }).udp(ports), 1),
  'a packet that has its gateway': () => bed.run('director', nobody.up(), 1 | (2 << 24)),
  'a segment that is refused, for its gateway is down': () =>
    assert.equal(passOn(bed, refused, 'A'), 'RESET refused'),
  'an answer': () => bed.run('egress', known.down('A')),
  'somebody who asks what would happen': () =>
    dryRun(bed.director, { fwmark: 1, family: 4 }, asked),
};

/** Gateways 1 and 2 take turns; `refused` went by 3, which is down. */
function begin(): void {
  bed.renewService({ scheduler: 'rr', gateways: [[1], [2], [3]] });
  setOnDown(bed, 1, 'RESET');
  takeDown(bed, [1, 2]);
  assert.equal(bed.direct(refused.up()), gatewayAddress(3));
  takeUp(bed);
  takeDown(bed, [3]);
  bed.direct(known.up());
}

describe('gateways take turns with new connections, whatever comes in between:', () => {
  for (const [what, come] of Object.entries(others))
    test(what, () => {
      begin();
      const takers = Array.from({ length: 6 }, (_, index) => {
        // An odd number: an even one could leave the turn where it was.
        for (let n = 0; n < 3; n++) come();
        return bed.direct(new Flow({ port: 4000 + index }).up());
      });
      const [first, second] = takers;
      assert.notEqual(first, second);
      assert.deepEqual(takers, [first, second, first, second, first, second]);
    });
});
