// What arping of iputils 20221126 writes, recorded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArping } from './neighbour.ts';

const asked = 'ARPING 192.0.2.1 from 192.0.2.2 eth1\n';

test('an answer to ARP has a time', () => {
  const answer = 'Unicast reply from 192.0.2.1 [6E:E0:21:CD:4B:22]  0.618ms\n';
  const end = 'Sent 1 probes (1 broadcast(s))\nReceived 1 response(s)\n';
  assert.equal(parseArping(asked + answer + end), 0.618);
});

test('no answer to ARP has none', () => {
  assert.equal(
    parseArping(`${asked}Sent 1 probes (1 broadcast(s))\nReceived 0 response(s)\n`),
    undefined,
  );
});
