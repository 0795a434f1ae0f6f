// Gateways as people see them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayState, noEvidence, noTotals } from '../../test/states.ts';
import { formatGateway, formatGateways } from './gateway-text.ts';

const told = gatewayState({
  capacity: { down: 250_000_000, up: 40_000_000, downAssumed: false, upAssumed: false },
  rate: { down: 12_345_678, up: 0 },
  connections: { active: 10, inactive: 200 },
  totals: { ...noTotals, connections: 4321, inPackets: 1e6, inBytes: 1.5e8, outBytes: 2.25e12 },
  rttUs: 12_345,
  evidence: {
    ...noEvidence,
    syns: 1234,
    synAnswers: 1230,
    asks: 330,
    askAnswers: 310,
    synRepeats: 12,
  },
});
const deleted = gatewayState({
  ...{
    name: '',
    id: 12,
    family: 6,
    address: 'fe80::1%eth2',
    link: 'eth2',
    present: false,
    snat: '',
  },
  unavailable: 'deleted: no service has it',
});
const waiting = gatewayState({
  ...{ name: 'lte', id: 0, address: '', link: 'eth3', present: false, admin: 'drained' },
  unavailable: 'no default route on eth3',
});

test('gateways are listed in columns, with units', () => {
  assert.equal(
    formatGateways([told, waiting, deleted]).join('\n'),
    `name   id  address       link  capacity down      up  now down  up  active  inactive   answer  state
fiber   1  192.0.2.1     eth1           250M     40M     12.3M   0      10       200  12.3 ms  enabled
lte     -  -             eth3         (100M)  (100M)         0   0       0         0        -  drained; no default route on eth3
       12  fe80::1%eth2  eth2         (100M)  (100M)         0   0       0         0        -  deleted: no service has it

capacity, now: bits a second; answer: from SYN to SYN-ACK
in brackets: nobody told; lvsj gateway NAME capacity DOWN UP`,
  );
});

test('gateways without names have no column for them', () => {
  const [titles] = formatGateways([deleted]);
  assert.match(titles as string, /^id {2}address/);
});

test('a list of gateways whose capacities were told explains no brackets', () => {
  assert.doesNotMatch(formatGateways([told]).join('\n'), /in brackets/);
});

test('of one gateway all is told', () => {
  assert.equal(
    formatGateway(told).join('\n'),
    `name               fiber
number             1
next hop           192.0.2.1 on eth1 (IPv4)
state              enabled
health             up
source address     masquerade
capacity           250M down, 40M up (bits a second)
now                12.3M down, 0 up (bits a second)
connections        10 active, 200 inactive
so far             4.32k connections
  to the internet  150M bytes in 1M packets
  from it          2.25T bytes in 0 packets
answer             12.3 ms
answered           99 % of 1.23k TCP connections, 93 % of 330 others
  SYN sent again   12 times
  no way           said 0 ICMP errors`,
  );
});

test('of a gateway without a name or next hop too', () => {
  assert.match(
    formatGateway(deleted).join('\n'),
    /^name +-\n.*\nsource address +not lvsj's to set\n/s,
  );
  assert.match(formatGateway(waiting).join('\n'), /\nnumber +-\nnext hop +- on eth3 \(IPv4\)\n/);
});

test('of a gateway that nobody asked there is no share of answers', () => {
  assert.match(
    formatGateway(gatewayState()).join('\n'),
    /\nanswered +- % of 0 TCP connections, - % of 0 others\n/,
  );
});

test('a state has its colour', () => {
  const colours = [told, { ...told, admin: 'drained' as const }, waiting, deleted].map(
    (gateway) => {
      const used: string[] = [];
      formatGateways([gateway], (style, text) => {
        used.push(style);
        return text;
      });
      return used.at(-1);
    },
  );
  assert.deepEqual(colours, ['green', 'yellow', 'red', 'dim']);
});

test('times have three digits', () => {
  const timeOf = (rttUs: number) =>
    formatGateway({ ...told, rttUs })
      .find((line) => line.startsWith('answer '))
      ?.split(/ {2,}/)[1];
  assert.deepEqual([30, 1234, 9999, 12_345, 123_456].map(timeOf), [
    ...['0.03 ms', '1.23 ms', '10.00 ms', '12.3 ms', '123 ms'],
  ]);
});
