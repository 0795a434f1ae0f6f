// DNS servers as Node.js lists them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServer } from './names.ts';

test('a DNS server may have a port, and a link that is not needed', () => {
  const cases = {
    '192.0.2.53': ['192.0.2.53', 53],
    '192.0.2.53:5353': ['192.0.2.53', 5353],
    '2001:db8::53': ['2001:db8::53', 53],
    '[2001:db8::53]:5353': ['2001:db8::53', 5353],
    'fe80::1%eth0': ['fe80::1', 53],
  };
  for (const [text, [address, port]] of Object.entries(cases))
    assert.deepEqual(parseServer(text), { address, port });
});
