// What fping 5.1 writes, recorded.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ok, silent } from './answer.ts';
import { parseFping } from './ping.ts';

describe('the answers of fping', () => {
  test('are those of each address, with what was said instead of one', () => {
    const stdout = [
      '198.51.100.10 : [0], 64 bytes, 0.449 ms (0.449 avg, 0% loss)',
      '192.0.2.99    : [0], timed out (NaN avg, 100% loss)',
      '1.2.3.4       : [0], timed out (NaN avg, 100% loss)',
      '',
    ].join('\n');
    const stderr = [
      'ICMP Network Unreachable from 198.51.100.10 for ICMP Echo sent to 1.2.3.4',
      '',
      '198.51.100.10 : xmt/rcv/%loss = 1/1/0%, min/avg/max = 0.449/0.449/0.449',
      '192.0.2.99    : xmt/rcv/%loss = 1/0/100%',
      '1.2.3.4       : xmt/rcv/%loss = 1/0/100%',
      '',
    ].join('\n');
    assert.deepEqual(
      [...parseFping(stdout, stderr, 300)],
      [
        ['198.51.100.10', ok(0.449)],
        ['192.0.2.99', silent('no answer in 300 ms')],
        ['1.2.3.4', silent('ICMP Network Unreachable from 198.51.100.10')],
      ],
    );
  });

  test('have addresses as they were written', () => {
    const stdout = [
      '2001:db8:ffff::10  : [0], 64 bytes, 0.205 ms (0.205 avg, 0% loss)',
      '2001:0db8:ffff::53 : [0], 64 bytes, 12.8 ms (12.8 avg, 0% loss)',
      '',
    ].join('\n');
    assert.deepEqual(
      [...parseFping(stdout, '', 300)],
      [
        ['2001:db8:ffff::10', ok(0.205)],
        ['2001:0db8:ffff::53', ok(12.8)],
      ],
    );
  });

  test('are none where it could not ask', () => {
    const stderr = 'fping: cannot bind source address : Cannot assign requested address\n';
    assert.equal(parseFping('', stderr, 300).size, 0);
  });
});
