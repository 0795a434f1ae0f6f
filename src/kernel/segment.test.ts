// A segment in the bytes that a network knows.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatSegment, socketAddress } from './segment.ts';

const at4 = { address: '203.0.113.9', port: 80 };
const at6 = { address: '2001:db8::9', port: 80 };
const to4 = { address: '10.0.0.2', port: 4000 };
const to6 = { address: 'fd00::2', port: 4000 };

/** The sum over pseudo header and segment, which is all ones if the checksum is right. */
function sumOf(addresses: Buffer, segment: Buffer): number {
  const bytes = Buffer.concat([addresses, Buffer.from([0, 6, 0, segment.length]), segment]);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  return (sum & 0xffff) + (sum >>> 16);
}

describe('a segment', () => {
  test('is an IPv4 packet with an ACK and nothing else', () => {
    const bytes = formatSegment({ from: at4, to: to4, sequence: 0x8000_0000 });
    assert.equal(bytes.length, 40);
    assert.equal(bytes.readUInt16BE(2), 40);
    assert.equal(bytes.subarray(12, 20).toString('hex'), 'cb0071090a000002');
    assert.equal(bytes.subarray(20, 34).toString('hex'), '00500fa080000000000000005010');
    assert.equal(sumOf(bytes.subarray(12, 20), bytes.subarray(20)), 0xffff);
  });

  test('is an IPv6 packet with the same', () => {
    const bytes = formatSegment({ from: at6, to: to6, sequence: 0 });
    assert.equal(bytes.length, 60);
    assert.equal(bytes.readUInt16BE(4), 20);
    assert.equal(bytes.readUInt8(6), 6);
    assert.equal(sumOf(bytes.subarray(8, 40), bytes.subarray(40)), 0xffff);
  });

  test('goes to a socket address of its family', () => {
    assert.equal(
      socketAddress('10.0.0.2').toString('hex'),
      `02000000${'0a000002'}${'0'.repeat(16)}`,
    );
    assert.equal(
      socketAddress('fd00::2').toString('hex'),
      `0a000000${'0'.repeat(8)}fd00${'0'.repeat(26)}02${'0'.repeat(8)}`,
    );
  });
});
